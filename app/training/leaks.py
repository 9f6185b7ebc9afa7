"""Leaks: a feature that alone gives the target, which often is known only when the target is."""

import shlex
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import rankdata

from app.schema import Feature
from app.training.dataset import Array

NEARLY_ALL = 0.999
"""From this part of the target's variance on, one feature is too good to be an ordinary one."""

_ENOUGH_ROWS = 100_000
"""Of more rows as many, evenly apart, tell as well."""


def leaks(features: Sequence[Feature], x: Array, y: Array) -> Iterator[str]:
    """Name the features that explain nearly all of the target alone, in sentences.

    Args:
        features: p of them.
        x: float64, shape (n, p), the model's matrix.
        y: float64, shape (n,), the target.
    """
    some = slice(None, None, -(-len(y) // _ENOUGH_ROWS) or 1)
    x, y = x[some], y[some]
    for feature, values in zip(features, x.T, strict=True):
        explained = explains(feature, values, y)
        if explained >= NEARLY_ALL:
            yield (
                f"{feature.name!r} alone gives the target (R2 {explained:.4f}): if it is known "
                f"only once the target is, leave it out with --drop {shlex.quote(feature.name)}"
            )


def explains(feature: Feature, values: Array, y: Array) -> float:
    """The adjusted R2 of the target by one feature: as groups, or else by a line or in order.

    Of a category that is one-way analysis of variance; of numbers the square of Pearson's
    correlation, or of Spearman's where that is more, so that the target's logarithm is noticed.
    Rows without a value do not count; 0 where there are too few others.

    Source of the adjustment: Ezekiel (1930), Methods of Correlation Analysis, Wiley.

    Args:
        feature: what the values are.
        values: float64, shape (n,), NaN where missing, codes of categories.
        y: float64, shape (n,).
    """
    known = ~np.isnan(values)
    values, y = values[known], y[known]
    if feature.kind == "category":
        return _adjusted(_by_groups(values, y), len(y), len(np.unique(values)))
    found = max(_by_line(values, y), _by_line(rankdata(values), rankdata(y)))
    return _adjusted(found, len(y), 2)


def _adjusted(r2: float, rows: int, parameters: int) -> float:
    return 1 - (1 - r2) * (rows - 1) / (rows - parameters) if rows > parameters else 0.0


def _by_line(values: Array, y: Array) -> float:
    """The square of Pearson's correlation; 0 where either is constant."""
    values, y = _scaled(values), _scaled(y)
    squares = float(values @ values) * float(y @ y)
    return float(values @ y) ** 2 / squares if squares else 0.0


def _by_groups(codes: Array, y: Array) -> float:
    """The part of the sum of squares that is between groups; 0 where the target is constant."""
    y = _scaled(y)
    _, group = np.unique(codes, return_inverse=True)
    sums, counts = np.bincount(group, y), np.bincount(group)
    total = float(y @ y)
    return float(sums**2 @ (1 / counts)) / total if total else 0.0


def _scaled(values: Array) -> Array:
    """Centred, and no larger than 1, so that no square overflows."""
    if not len(values) or not (largest := np.abs(values).max()):
        return values
    scaled: Array = values / largest
    scaled -= scaled.mean()
    return scaled
