"""Small tables for the tests of training: datasets made by seed, and one as the text of a file."""

import numpy as np

from app.schema import Feature, Schema, Target
from app.training.copies import groups
from app.training.dataset import Dataset, number

ROWS = 120

HOUSES_HEADER = "size [m2],city,new,price [EUR]"
HOUSE_LINES = [
    f"{20 + row * row % 37}.5,{'ABC'[row % 3]},{'true' if row % 5 else 'false'},{row * 7 % 40}"
    for row in range(40)
]
HOUSES = "\n".join([HOUSES_HEADER, *HOUSE_LINES, ""])
"""A CSV file of 40 rows with a number, a category, a boolean and a numeric target."""


def dataset(*, missing: bool = False, scales: tuple[float, float] = (1.0, 1.0)) -> Dataset:
    """Two numbers, a boolean and a category, each with or without missing values.

    The target is linear in all of them, with unit noise; `scales` are those of the numbers' units.
    """
    draw = np.random.default_rng(7)
    numbers = draw.normal(size=(ROWS, 2))
    member = draw.integers(0, 2, ROWS).astype(float)
    kind = draw.integers(0, 3, ROWS).astype(float)
    y = 3 * numbers[:, 0] - 2 * numbers[:, 1] + member + kind**2 + draw.normal(size=ROWS)
    x = np.column_stack([numbers * scales + np.array(scales) * 5, member, kind])
    if missing:
        x[draw.random(x.shape) < 0.1] = np.nan
    features = (
        number("first", x[:, 0]),
        number("second", x[:, 1]),
        Feature("member", "boolean", missing=missing),
        Feature("kind", "category", categories=("a", "b", "c"), missing=missing),
    )
    schema = Schema(features, Target("y", float(y.min()), float(y.max())))
    return Dataset("made", "00", schema, x, y, (False, False, False, False), groups(x, y))


def numbers_only(*, scales: tuple[float, float] = (1.0, 1.0)) -> Dataset:
    """The two numbers alone, never missing."""
    found = dataset(scales=scales)
    schema = Schema(found.schema.features[:2], found.schema.target)
    return Dataset("made", "00", schema, found.x[:, :2], found.y, (False, False), found.groups)
