"""A linear model as the plain numbers in its manifest: no pickle and no scikit-learn.

The manifest holds its ``intercept``; ``coefficients`` by feature, for numbers and booleans;
``categories``, a value for each category of a feature in schema order (for a boolean: false and
true); and ``missing``, the contribution of a feature whose value is missing. An answer is the sum

    y = intercept + contribution of feature 1 + ... + contribution of feature p

taken in this order, one feature after the other, each product rounded before it is added. A row's
answer therefore has the same bits whether it comes alone or among others, which a matrix product
does not promise: BLAS adds in an order that depends on the shape.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.schema import MAX_MAGNITUDE, Feature, Schema

Array = NDArray[np.float64]


class Linear:
    """Predicts with the numbers of a manifest.

    Args:
        numbers: the manifest's ``linear``.
        schema: of the model, p features.

    Raises:
        KeyError, TypeError, ValueError: the numbers do not fit the schema.
    """

    def __init__(self, numbers: Mapping[str, Any], schema: Schema) -> None:
        self._names = schema.names
        self._intercept = float(numbers["intercept"])
        self._terms = [_term(numbers, feature) for feature in schema.features]
        self._by_value = [
            _of_json(*pair) for pair in zip(schema.features, self._terms, strict=True)
        ]

    @property
    def intercept(self) -> float:
        """What every sum begins with."""
        return self._intercept

    @property
    def terms(self) -> Sequence["Term"]:
        """What each feature adds, in schema order."""
        return self._terms

    def predict(self, matrix: Array) -> Array:
        """Predict a float64 matrix of shape (n, p); returns shape (n,)."""
        if len(matrix) == 1:
            return np.array([self.predict_row(matrix[0].tolist())])
        y = np.full(len(matrix), self._intercept)
        # One pass makes the columns contiguous; each is read up to three times.
        for term, column in zip(self._terms, np.ascontiguousarray(matrix.T), strict=True):
            y += term.of_column(column)
        return y

    def predict_json(self, row: object) -> float | None:
        """Check and predict one row as it came out of JSON, in one pass.

        Args:
            row: anything; p values in schema order, or by name, are what is hoped for.

        Returns:
            The answer, with the same bits as by way of the matrix. None for any row that is not
            plainly right, to be looked at by `app.checking`, and for an answer that is not finite.
        """
        by_value = self._by_value
        if type(row) is dict and len(row) == len(by_value):
            row = [row.get(name) for name in self._names]
        if type(row) is not list or len(row) != len(by_value):
            return None
        y = self._intercept
        for value, of in zip(row, by_value, strict=True):
            kind = type(value)
            if kind is float or kind is int:
                if type(of) is not float or not -MAX_MAGNITUDE <= value <= MAX_MAGNITUDE:
                    return None
                y += of * value
            elif type(of) is dict and (kind is str or kind is bool):
                found = of.get(value)
                if found is None:
                    return None
                y += found
            else:
                return None
        return y if math.isfinite(y) else None

    def predict_row(self, row: list[float]) -> float:
        """Predict one row of the matrix: p numbers."""
        y = self._intercept
        for term, value in zip(self._terms, row, strict=True):
            y += term.of_value(value)
        return y


class Product:
    """A coefficient times the value; a missing one has a contribution of its own, `missing`."""

    def __init__(self, coefficient: float, missing: float | None) -> None:
        self.coefficient = coefficient
        self.missing = missing

    def of_value(self, value: float) -> float:
        """The contribution of one value, NaN for a missing one."""
        if self.missing is not None and value != value:  # noqa: PLR0124 - only NaN is not itself
            return self.missing
        return self.coefficient * value

    def of_column(self, column: Array) -> Array:
        """The contributions of n values."""
        products = self.coefficient * column
        if self.missing is not None:
            products[np.isnan(column)] = self.missing
        return products


class Choice:
    """A contribution for each value that there is, the missing one last: `values`."""

    def __init__(self, values: list[float], missing: float | None) -> None:
        self.values = [*values, np.nan if missing is None else missing]
        self._array = np.array(self.values)

    def of_value(self, value: float) -> float:
        """The contribution of one code, NaN for a missing value."""
        return self.values[-1 if value != value else int(value)]  # noqa: PLR0124 - as above

    def of_column(self, column: Array) -> Array:
        """The contributions of n codes."""
        last = len(self.values) - 1
        places = np.where(np.isnan(column), last, column).astype(np.intp)
        found: Array = self._array[places]
        return found


Term = Product | Choice
"""What a feature adds to the sum."""


def _of_json(feature: Feature, term: Term) -> float | dict[Any, float]:
    """What a value out of JSON contributes: a factor for a number, else by value."""
    if feature.kind == "number":
        return term.of_value(1.0)
    return {
        value: term.of_value(code) for value, code in feature.codes.items() if value is not None
    }


def _term(numbers: Mapping[str, Any], feature: Feature) -> Term:
    missing = numbers["missing"].get(feature.name)
    missing = None if missing is None else float(missing)
    if feature.missing != (missing is not None):
        raise ValueError(f"{feature.name!r} lacks its contribution when missing, or has one")
    if feature.name in numbers["categories"]:
        values = [float(value) for value in numbers["categories"][feature.name]]
        if len(values) != (len(feature.categories) if feature.kind == "category" else 2):
            raise ValueError(f"{feature.name!r} has not one contribution for each category")
        return Choice(values, missing)
    return Product(float(numbers["coefficients"][feature.name]), missing)
