"""What is trained on: the model's matrix, the target, and what became of the table."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes

from app.schema import Feature, Schema, Target
from app.training import copies

Array = NDArray[np.float64]

EXACT_INTEGERS = 2.0**53
"""Whole numbers up to here are exact in float64."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A column that is not a feature, and why, in words that follow its name."""

    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """A table, ready to fit.

    Attributes:
        source: name of the file, without its folder, or where else the data are from.
        sha256: of the file's bytes; for built-in data, see `diabetes`.
        schema: the p features and the target.
        x: float64, shape (n, p), as `app.checking.to_matrix` makes it of requests.
        y: float64, shape (n,), finite, in the target's unit.
        whole: for each feature, whether all its values are whole numbers that are exact.
        groups: for each row its group of copies, as `copies.groups` numbers them.
        left_out: columns of the table that are no features.
        rows_left_out: rows whose target is missing.
        notes: sentences on how the file was read, where that is not obvious.
        remarks: more of them, which quote values of the table: to be told, not to be published.
    """

    source: str
    sha256: str
    schema: Schema
    x: Array
    y: Array
    whole: tuple[bool, ...]
    groups: NDArray[np.intp]
    left_out: tuple[LeftOut, ...] = ()
    rows_left_out: int = 0
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def different(self) -> int:
        """How many rows there are if copies are counted once."""
        return copies.count(self.groups)

    def counted(self) -> dict[str, int]:
        """How many rows there are, how many different ones, and how many they are worth.

        Equal rows count as one in the second, copies or not. The third is as of `copies.effective`.
        """
        alike = copies.equal(self.x, self.y)
        return {
            "rows": len(self.y),
            "different_rows": copies.count(alike),
            "effective_rows": int(copies.effective(alike)),
        }

    def only(self, names: Sequence[str]) -> "Dataset":
        """The same rows, in the same groups, with these of the features, in this order."""
        places = [self.schema.names.index(name) for name in names]
        return replace(
            self,
            schema=replace(
                self.schema, features=tuple(self.schema.features[place] for place in places)
            ),
            x=np.ascontiguousarray(self.x[:, places]),
            whole=tuple(self.whole[place] for place in places),
        )

    def request_row(self, index: int) -> tuple[Any, ...]:
        """A row as a client would send it: JSON values in schema order."""
        return tuple(
            _json_value(feature, value, whole)
            for feature, value, whole in zip(
                self.schema.features, self.x[index].tolist(), self.whole, strict=True
            )
        )


def diabetes() -> Dataset:
    """The diabetes data that come with scikit-learn.

    442 patients, 10 features, each centred and scaled to a sum of squares of 1; the target is a
    measure of disease progression one year after baseline, without a unit. Its digest is that of
    the float64 matrix, row by row, followed by the target, both little-endian.

    Source: Efron, Hastie, Johnstone, Tibshirani (2004), Least Angle Regression, Annals of
    Statistics 32, 407-499.
    """
    found = load_diabetes()
    x = np.ascontiguousarray(found.data, dtype="<f8")
    y = np.ascontiguousarray(found.target, dtype="<f8")
    features = tuple(number(name, x[:, place]) for place, name in enumerate(found.feature_names))
    target = Target("disease_progression", float(y.min()), float(y.max()))
    return Dataset(
        source="scikit-learn load_diabetes",
        sha256=hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest(),
        schema=Schema(features, target),
        x=x,
        y=y,
        whole=whole_columns(x),
        groups=copies.groups(x, y),
    )


def number(name: str, values: Array, unit: str | None = None) -> Feature:
    """A numeric feature with the range of these values, of which one at least is not missing."""
    return Feature(
        name=name,
        kind="number",
        minimum=float(np.nanmin(values)),
        maximum=float(np.nanmax(values)),
        missing=bool(np.isnan(values).any()),
        unit=unit,
    )


def whole_columns(x: Array) -> tuple[bool, ...]:
    """For each column, whether it holds exact whole numbers only, missing values aside."""
    return tuple(is_whole(x[:, place]) for place in range(x.shape[1]))


def is_whole(values: Array) -> bool:
    """Whether these are whole numbers that float64 has exactly, missing values aside."""
    known = values[~np.isnan(values)]
    return bool((np.trunc(known) == known).all() and (np.abs(known) <= EXACT_INTEGERS).all())


def _json_value(feature: Feature, value: float, whole: bool) -> Any:
    if np.isnan(value):
        return None
    if feature.kind == "category":
        return feature.categories[int(value)]
    if feature.kind == "boolean":
        return bool(value)
    return int(value) if whole else value
