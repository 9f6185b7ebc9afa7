"""A fitted linear pipeline as plain numbers, one set for each feature.

``{"intercept": a, "coefficients": {..}, "categories": {..}, "missing": {..}}`` is what `app.linear`
predicts with: an answer is a, plus for each feature

- ``missing[name]`` if its value is missing;
- ``coefficients[name]`` times its value, for a number, and for a boolean (0 or 1) that was never
  missing in training;
- ``categories[name][place]`` otherwise, where place is that of the value in the schema's list of
  categories, or 0 for false and 1 for true.

``missing`` names exactly the features that may be missing. All is in the target's unit, the
coefficients by unit of the feature; scaling and imputation are folded in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression

from app.checking import to_matrix
from app.linear import Linear
from app.manifest import Golden
from app.model import GOLDEN_RELATIVE, is_close
from app.schema import Feature, Schema

Array = NDArray[np.float64]

MISSING_SHARE = 0.2
"""How many values are missing in rows that are drawn, of features that can be missing."""

AGREEMENT = 1e-9
ROOM = 0.1
"""The part of what golden rows allow that plain numbers may take up where they are made."""


@dataclass(slots=True)
class _Folded:
    """What is being collected; one attribute a key of the result."""

    intercept: float
    coefficients: dict[str, float] = field(default_factory=dict)
    categories: dict[str, list[float]] = field(default_factory=dict)
    missing: dict[str, float] = field(default_factory=dict)


def parameters(estimator: Any, schema: Schema) -> dict[str, Any]:
    """Fold a fitted `candidates.linear_regression` of this schema into plain numbers."""
    if isinstance(estimator, LinearRegression):
        coefficients = dict(zip(schema.names, estimator.coef_.tolist(), strict=True))
        return _as_json(_Folded(float(estimator.intercept_), coefficients))
    regress = estimator.named_steps["regress"]
    folded = _Folded(float(regress.intercept_))
    weights = regress.coef_.tolist()
    for name, transformer, places in estimator.named_steps["prepare"].transformers_:
        features = [schema.features[place] for place in places]
        if name == "encode":
            weights = _fold_encoded(folded, transformer, features, weights)
        else:
            weights = _fold_numbers(folded, transformer, features, weights)
    return _as_json(folded)


def agree(linear: Mapping[str, Any], schema: Schema, x: Array, answers: Array) -> bool:
    """Whether these numbers give the estimator's answers for a matrix of shape (n, p).

    They do to 1e-9 of an answer, or of the target's range (at most 1) where an answer is smaller.
    They do not where a column's distance from 0 is so large beside its own range that sums of
    products lose their digits.
    """
    smallest = min(1.0, schema.target.maximum - schema.target.minimum)
    allowed = AGREEMENT * np.maximum(np.abs(answers), smallest)
    return bool((np.abs(Linear(linear, schema).predict(x) - answers) <= allowed).all())


def prove(linear: Mapping[str, Any], schema: Schema, golden: Golden) -> bool:
    """Whether these numbers pass the proof by golden rows, with room for others' rounding.

    It is the stricter one where the answers are small beside the target's range, as those of a
    model that explains little are.
    """
    x = to_matrix(schema, [list(row) for row in golden.x])
    return is_close(Linear(linear, schema).predict(x), np.array(golden.y), ROOM * GOLDEN_RELATIVE)


def drawn(schema: Schema, rows: int, seed: int) -> Array:
    """Draw rows evenly over the training ranges, categories and missing values; shape (rows, p).

    They go together in ways that training may not have seen, as clients' rows will.
    """
    generator = np.random.default_rng(seed)
    x = np.empty((rows, len(schema.features)))
    for place, feature in enumerate(schema.features):
        if feature.kind == "number":
            low, high = feature.minimum or 0.0, feature.maximum or 0.0
            x[:, place] = generator.uniform(low, high, rows)
        else:
            x[:, place] = generator.integers(0, len(feature.categories) or 2, rows)
        if feature.missing:
            x[generator.random(rows) < MISSING_SHARE, place] = np.nan
    return x


def _fold_encoded(
    folded: _Folded, encoder: Any, features: list[Feature], weights: list[float]
) -> list[float]:
    for feature, known in zip(features, encoder.categories_, strict=True):
        mine, weights = weights[: len(known)], weights[len(known) :]
        if feature.missing:
            folded.missing[feature.name] = mine.pop()
        folded.categories[feature.name] = mine
    return weights


def _fold_numbers(
    folded: _Folded, transformer: Any, features: list[Feature], weights: list[float]
) -> list[float]:
    """Undo (value or mean - centre) / scale for each feature of one transformer."""
    fills = _of_step(transformer, "statistics_", len(features), 0.0)
    centres = _of_step(transformer, "mean_", len(features), 0.0)
    scales = _of_step(transformer, "scale_", len(features), 1.0)
    for feature, weight, fill, centre, scale in zip(
        features, weights, fills, centres, scales, strict=False
    ):
        coefficient = weight / scale
        folded.coefficients[feature.name] = coefficient
        folded.intercept -= coefficient * centre
        if feature.missing:
            folded.missing[feature.name] = coefficient * fill
    return weights[len(features) :]


def _of_step(transformer: Any, attribute: str, width: int, otherwise: float) -> list[float]:
    """An array that some step of a transformer has learnt, or `otherwise` for each column."""
    steps = [step for _, step in getattr(transformer, "steps", [("", transformer)])]
    for step in steps:
        if hasattr(step, attribute):
            learnt: list[float] = getattr(step, attribute).tolist()
            return learnt
    return [otherwise] * width


def _as_json(folded: _Folded) -> dict[str, Any]:
    return {
        "intercept": folded.intercept,
        "coefficients": folded.coefficients,
        "categories": folded.categories,
        "missing": folded.missing,
    }
