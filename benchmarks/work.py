"""What the services are asked for, and the answers that are right."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.datasets import load_diabetes

from app.checking import to_matrix
from app.runtimes import MODEL_FILE
from app.schema import Schema
from app.store import Reader

Rows = Sequence[Any]


@dataclass(frozen=True)
class Work:
    """Requests of one size, different ones, so that nobody profits from having seen one.

    Attributes:
        name: as reports call it.
        rows: in one request.
        bare: whether its only row is sent bare.
        batches: rows of each request.
        expected: the predictions for each, by the model itself.
    """

    name: str
    rows: int
    bare: bool
    batches: list[Rows]
    expected: list[list[float]]


SIZES = (
    ("1", 1, 64),
    ("1, always the same", 1, 1),
    ("100", 100, 16),
    ("1,000", 1_000, 4),
    ("10,000", 10_000, 2),
)
"""Name, rows of a request, different requests."""

NAMED_SIZES = (("1 by name", 1, 64), ("1,000 by name", 1_000, 4))


def numbers(models: Path) -> list[Work]:
    """Rows of 10 numbers for the diabetes model; drawn near its data, all digits in use."""
    seed = np.random.default_rng(1)
    known = load_diabetes().data

    def draw(count: int) -> Rows:
        near = known[seed.integers(len(known), size=count)]
        drawn: list[list[float]] = (near * seed.uniform(0.9, 1.1, near.shape)).tolist()
        return drawn

    predict = _Model(models, "diabetes")
    return [_work(predict, size, [draw(size[1]) for _ in range(size[2])]) for size in SIZES]


def table(models: Path, data: Path, target: str) -> list[Work]:
    """Rows by feature name, for the model `table` trained on this file."""
    predict = _Model(models, "table")
    known = named_rows(data, target, predict.schema)
    seed = np.random.default_rng(1)

    def draw(count: int) -> Rows:
        return [known[place] for place in seed.integers(len(known), size=count)]

    return [_work(predict, size, [draw(size[1]) for _ in range(size[2])]) for size in NAMED_SIZES]


def named_rows(data: Path, target: str, schema: Schema) -> list[dict[str, Any]]:
    """The rows of a table, its numbers as numbers."""
    numeric = {feature.name for feature in schema.features if feature.kind == "number"}
    with data.open(newline="", encoding="utf-8") as file:
        return [
            {
                name: float(value) if name in numeric else value
                for name, value in row.items()
                if name != target
            }
            for row in csv.DictReader(file)
        ]


class _Model:
    """A published model by its pickle: not by the code whose answers are to be checked."""

    def __init__(self, models: Path, name: str) -> None:
        store = Reader(models)
        opened = store.open(name, store.current(name).version)
        self.schema = opened.manifest.description.schema
        self._estimator = joblib.load(BytesIO(opened.files[MODEL_FILE]))

    def __call__(self, rows: Rows) -> list[float]:
        answers: list[float] = self._estimator.predict(to_matrix(self.schema, rows)).tolist()
        return answers


def _work(predict: _Model, size: tuple[str, int, int], batches: list[Rows]) -> Work:
    name, rows, _ = size
    return Work(name, rows, rows == 1, batches, [predict(batch) for batch in batches])
