"""Small real models: fitted in milliseconds, published through the real store."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from app.checking import to_matrix
from app.manifest import Description, Golden, Manifest
from app.runtimes import JOBLIB, LINEAR, MODEL_FILE, dump, installed
from app.schema import Feature, Schema, Target
from app.signing import Keys
from app.store import Store

PLAIN = Schema(
    (
        Feature("width", "number", 0.0, 10.0, unit="mm"),
        Feature("height", "number", -5.0, 5.0),
        Feature("depth", "number", 0.0, 1.0),
    ),
    Target("weight", 0.0, 100.0, "kg"),
)
"""Three numbers, none ever missing."""

MIXED = Schema(
    (
        Feature("age", "number", 18.0, 90.0, missing=True),
        Feature("housing", "category", categories=("free", "own", "rent")),
        Feature("job", "category", categories=("skilled: yes", "unskilled"), missing=True),
        Feature("member", "boolean"),
    ),
    Target("amount", 0.0, 10_000.0),
)
"""A number and a category that can be missing, a category and a boolean that cannot."""

SINGLE = Schema((Feature("speed", "number", 0.0, 300.0),), Target("load", 0.0, 10.0))
"""One number."""

HOSTILE = Schema(
    (
        Feature("<script>alert(1)</script>", "number", 0.0, 1.0),
        Feature("a \"quoted\" 'name' & more", "number", 0.0, 1.0),
        Feature(
            "snow \u2603 \U0001f600\n$(id)`id`", "category", categories=("</pre><b>", "{{ 7 * 7 }}")
        ),
    ),
    Target("y", 0.0, 1.0),
)
"""Names and categories that are markup, shell or template code to who forgets to quote them."""

ROWS: Mapping[int, Sequence[Sequence[Any]]] = {
    id(PLAIN): [[1.0, 2.0, 0.5], [10.0, -5.0, 0.0], [0.25, 0.0, 1.0]],
    id(MIXED): [[30, "own", "unskilled", True], [None, "rent", None, False]],
    id(SINGLE): [[100.0], [0.0]],
    id(HOSTILE): [[0.5, 0.25, "</pre><b>"], [0.0, 1.0, "{{ 7 * 7 }}"]],
}
"""Rows in request form that fit each of these schemas."""


def fitted(schema: Schema, seed: int = 0) -> Any:
    """A regression fitted to random numbers for each feature of the schema."""
    draw = np.random.default_rng(seed)
    matrix = draw.normal(size=(50, len(schema.features)))
    y = matrix @ draw.normal(size=len(schema.features)) + draw.normal()
    if schema.plain:
        return LinearRegression().fit(matrix, y)
    zeros = SimpleImputer(strategy="constant", fill_value=0.0)
    return make_pipeline(zeros, LinearRegression()).fit(matrix, y)


def linear_numbers(schema: Schema, estimator: Any) -> dict[str, Any]:
    """The numbers of what `fitted` made, as the manifest of a linear model has them."""
    regression = estimator if schema.plain else estimator[-1]
    slopes = dict(zip(schema.names, regression.coef_.tolist(), strict=True))
    categories = {f.name: range(len(f.categories)) for f in schema.features if f.categories}
    return {
        "intercept": float(regression.intercept_),
        "coefficients": {name: slopes[name] for name in slopes if name not in categories},
        "categories": {
            name: [slopes[name] * code for code in categories[name]] for name in categories
        },
        "missing": {feature.name: 0.0 for feature in schema.features if feature.missing},
    }


def described(schema: Schema, estimator: Any) -> Description:
    """The description that training would write for this estimator."""
    rows = [list(row) for row in ROWS[id(schema)]]
    y = estimator.predict(to_matrix(schema, rows))
    return Description(
        schema=schema,
        runtime=JOBLIB,
        estimator=type(estimator).__name__,
        libraries=installed(),
        training={"source": "random numbers", "rows": 50},
        metrics={"r2": {"mean": 1.0, "std": 0.0, "folds": [1.0, 1.0]}},
        golden=Golden(tuple(map(tuple, rows)), tuple(y.tolist())),
    )


def publish(
    root: Path,
    name: str = "tiny",
    schema: Schema = PLAIN,
    /,
    seed: int = 0,
    *,
    linear: bool | Mapping[str, Any] = False,
    estimator: Any = None,
    keys: Keys | None = None,
    **changes: Any,
) -> Manifest:
    """Publish a small model.

    Args:
        root: the models folder.
        name, schema, seed: of the model.
        linear: whether it is served by its numbers, without scikit-learn, instead of by its pickle;
            or by which other ones.
        estimator: what to publish instead of a fresh estimator.
        keys: to sign it with.
        changes: replace fields of its description, true or not; a candidate by its promotion is
            not made current.
    """
    if estimator is None:
        estimator = fitted(schema, seed)
    if linear:
        numbers = linear_numbers(schema, estimator) if linear is True else linear
        changes = {"runtime": LINEAR, "linear": numbers, **changes}
    description = replace(described(schema, estimator), **changes)
    files = {MODEL_FILE: dump(estimator)}
    promoted = not description.is_candidate
    return Store(root, keys).publish(name, description, files, make_current=promoted)
