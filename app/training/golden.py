"""Golden rows: by their answers a model is known again wherever it is loaded.

They are published with it, and the first is shown to clients as an example. So none of them is a
row of the table, wherever `app.training.mixture` finds one that is not.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.checking import to_matrix
from app.manifest import Golden
from app.training.candidates import is_encoded, levels
from app.training.dataset import Dataset
from app.training.mixture import mixture

ROWS = 20

Predict = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def golden_rows(predict: Predict, dataset: Dataset, seed: int) -> Golden:
    """Draw rows, mix them, and record the answers, through the same door as a request.

    The first has no missing value, if that can be: it serves as the example.
    """
    made = replace(dataset, x=mixture(dataset.x, draw(dataset, seed), seed))
    rows = [made.request_row(index) for index in range(len(made.x))]
    answers = predict(to_matrix(dataset.schema, [list(row) for row in rows]))
    return Golden(tuple(rows), tuple(float(answer) for answer in answers))


def draw(dataset: Dataset, seed: int) -> list[int]:
    """Up to `ROWS` indices of rows: missing values, categories and extremes first, then chance."""
    complete = np.flatnonzero(~np.isnan(dataset.x).any(axis=1))
    drawn = [int(complete[0]) if complete.size else 0]
    for place, value in _worth_seeing(dataset):
        if len(drawn) >= ROWS:
            break
        column = dataset.x[:, place]
        holds = np.isnan(column) if np.isnan(value) else column == value
        if not holds[drawn].any() and holds.any():
            drawn.append(int(holds.argmax()))
    generator = np.random.default_rng(seed)
    rest = np.setdiff1d(np.arange(len(dataset.x)), drawn)
    more = generator.choice(rest, min(len(rest), max(0, ROWS - len(drawn))), replace=False)
    return drawn + [int(index) for index in more]


def _worth_seeing(dataset: Dataset) -> Iterator[tuple[int, float]]:
    """Pairs of a column's place and a value in it, the most telling first."""
    features: list[tuple[int, Any]] = list(enumerate(dataset.schema.features))
    yield from ((place, np.nan) for place, feature in features if feature.missing)
    for place, feature in features:
        if is_encoded(feature):
            yield from ((place, level) for level in levels(feature))
    for place, feature in features:
        if feature.kind == "number":
            yield place, feature.minimum
            yield place, feature.maximum
