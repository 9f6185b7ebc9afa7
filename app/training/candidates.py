"""The estimators that training knows.

The first is what train.py fits; by all of them a champion is fitted anew, to be compared.

A candidate knows how to make an unfitted estimator for a schema. The estimator takes the model's
matrix as `app.checking.to_matrix` makes it and prepares it itself, so that whatever preparation
learns from data, it learns from the rows it is fitted on and from no others.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from app.schema import Feature, Schema

MAX_SPREAD_RATIO = 1e4
"""How far the ranges of columns may differ before they are brought to one scale for the fit."""

RANK_TOLERANCE = 1e-7
"""Directions that vary less than this, relative to the largest, are taken for rounding errors.

The same figure decides in R's ``lm``. scikit-learn's own 1e-6 is relative to the column with the
largest unit, so that beside an income in cents it silently gives a share of 0 to 1 no weight.
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An estimator that can be tried: its name for the reader, and how it is made."""

    name: str
    make: Callable[[Schema], Any]


def linear_regression(schema: Schema) -> Any:
    """Ordinary least squares, with the preparation that the schema's features need.

    Numbers and booleans that are never missing go in as they are. Missing numbers are replaced by
    the mean; categories, and booleans with missing values, become one column for each value, the
    missing one included. Where columns are linearly dependent (as those of one category are),
    the coefficients are those of least norm.
    """
    scale = spread_ratio(schema) > MAX_SPREAD_RATIO
    tolerance = RANK_TOLERANCE / (1.0 if scale else spread_ratio(schema))
    regress = LinearRegression(tol=tolerance)
    if not scale and not any(is_encoded(f) or f.missing for f in schema.features):
        return regress
    return Pipeline([("prepare", _preparation(schema, scale)), ("regress", regress)])


CANDIDATES = (Candidate("LinearRegression", linear_regression),)


def is_encoded(feature: Feature) -> bool:
    """Whether a feature becomes one column for each of its values."""
    return feature.kind == "category" or (feature.kind == "boolean" and feature.missing)


def levels(feature: Feature) -> list[float]:
    """What an encoded feature can hold in the matrix: its codes, NaN last if it can be missing."""
    known = len(feature.categories) if feature.kind == "category" else 2
    codes = [float(code) for code in range(known)]
    return [*codes, math.nan] if feature.missing else codes


def encoded_width(schema: Schema) -> int:
    """How many columns the regression sees."""
    return sum(len(levels(f)) if is_encoded(f) else 1 for f in schema.features)


def is_scaled(schema: Schema) -> bool:
    """Whether `linear_regression` brings numbers to unit standard deviation."""
    return spread_ratio(schema) > MAX_SPREAD_RATIO


def spread_ratio(schema: Schema) -> float:
    """The widest range of a column relative to the narrowest; encoded values span 1."""
    spreads = [_spread(feature) for feature in schema.features]
    known = [spread for spread in spreads if spread > 0]
    return max(known) / min(known) if known else 1.0


def _spread(feature: Feature) -> float:
    if feature.minimum is None or feature.maximum is None:
        return 1.0
    return feature.maximum - feature.minimum


def _preparation(schema: Schema, scale: bool) -> Any:
    """One transformer for each run of features of the same treatment, in schema order."""
    groups: dict[str, list[int]] = {}
    for place, feature in enumerate(schema.features):
        groups.setdefault(_treatment(feature, scale), []).append(place)
    steps = [
        (name, _transformer(name, [schema.features[place] for place in places]), places)
        for name, places in groups.items()
    ]
    return ColumnTransformer(steps)


def _treatment(feature: Feature, scale: bool) -> str:
    if is_encoded(feature):
        return "encode"
    if feature.kind == "boolean":
        return "keep"
    words = (["impute"] if feature.missing else []) + (["scale"] if scale else [])
    return "_and_".join(words) or "keep"


def _transformer(treatment: str, features: list[Feature]) -> Any:
    # keep_empty_features: a fold can hold no known value of a column; it then counts as 0
    impute = SimpleImputer(strategy="mean", keep_empty_features=True)
    makers: dict[str, Callable[[], Any]] = {
        "keep": lambda: "passthrough",
        "impute": lambda: impute,
        "scale": StandardScaler,
        "impute_and_scale": lambda: Pipeline([("impute", impute), ("scale", StandardScaler())]),
        "encode": lambda: OneHotEncoder(
            categories=[np.array(levels(feature)) for feature in features], sparse_output=False
        ),
    }
    return makers[treatment]()
