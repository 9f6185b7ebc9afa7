"""Tables that grow and change, and train.py run on them again and again."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import train
from app.store import Reader

Columns = Mapping[str, list[Any]]

FEATURES = ("a", "b", "c")


def columns(rows: int, seed: int = 0, *, kinds: bool = False) -> dict[str, list[Any]]:
    """A table of three numbers, a category if asked for, and a target that is linear in them."""
    draw = np.random.default_rng(seed)
    numbers = draw.normal(size=(rows, len(FEATURES))).round(6)
    kind = draw.integers(0, 3, rows)
    y = numbers @ np.array([3.0, 2.0, 1.0]) + kinds * kind + draw.normal(size=rows)
    return {
        **{name: numbers[:, place].tolist() for place, name in enumerate(FEATURES)},
        **({"kind": ["xyz"[code] for code in kind]} if kinds else {}),
        "y": y.round(6).tolist(),
    }


def joined(*tables: Columns) -> dict[str, list[Any]]:
    """Tables of the same columns, one below the other."""
    return {name: [value for each in tables for value in each[name]] for name in tables[0]}


def part(table: Columns, start: int, stop: int) -> dict[str, list[Any]]:
    """Some rows of a table."""
    return {name: values[start:stop] for name, values in table.items()}


Run = Callable[..., tuple[int, str, str]]


def runner(models: Path, capture: pytest.CaptureFixture[str]) -> Run:
    """Trains into these models in this process, and gives exit code, stdout and stderr."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        code = train.main(["--models", str(models), *map(str, arguments)])
        return (code, *capture.readouterr())

    return run


@dataclass(frozen=True)
class Ran:
    """What a run of train.py ended with."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Workshop:
    """A folder with one table that is trained on under the name ``t``, and its models."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    @property
    def models(self) -> Path:
        return self.folder / "models"

    @property
    def reader(self) -> Reader:
        return Reader(self.models)

    @property
    def current(self) -> int:
        return self.reader.current("t").version

    @property
    def versions(self) -> list[int]:
        return self.reader.versions("t")

    def train(self, table: Columns | None, *arguments: str, target: str = "y") -> Ran:
        """Write the table, if one is given, and train on it."""
        path = self.folder / "t.csv"
        if table is not None:
            lines = [",".join(map(str, row)) for row in zip(*table.values(), strict=True)]
            path.write_text("\n".join([",".join(table), *lines, ""]))
        code = train.main(
            ["--models", str(self.models), "--data", str(path), "--target", target, *arguments]
        )
        return Ran(code, *self.capture.readouterr())

    def promotion(self, version: int) -> dict[str, Any]:
        """What the manifest of a version says of its promotion."""
        path = self.models / "t" / str(version) / "manifest.json"
        found: dict[str, Any] = json.loads(path.read_text())["promotion"]
        return found

    def comparisons(self, version: int) -> dict[str, dict[str, Any]]:
        """Its comparisons by the form of the champion."""
        return {each["champion"]: each for each in self.promotion(version)["comparisons"]}
