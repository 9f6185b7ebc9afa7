"""A feature that alone gives the target is told of, and an ordinary one is not."""

from pathlib import Path

import numpy as np
import pytest

from app.schema import Feature
from app.training.dataset import diabetes, number
from app.training.features import make_dataset
from app.training.leaks import explains, leaks
from app.training.report import about_data
from app.training.tables import read_table

ROWS = 200
draw = np.random.default_rng(7)
y = draw.lognormal(3, 1, ROWS)


def _sentences(values: np.ndarray, target: np.ndarray = y) -> list[str]:
    return list(leaks([number("a", values)], values[:, None], target))


@pytest.mark.parametrize(
    "values",
    [
        y,
        -3 * y + 7,
        np.log(y),
        np.round(y),
        1e300 * y,
        1e-300 * y,
        np.where(np.arange(ROWS) % 2, np.nan, y),
    ],
    ids=["copy", "unit", "logarithm", "rounded", "huge", "tiny", "half missing"],
)
def test_what_gives_the_target_is_named(values: np.ndarray) -> None:
    (sentence,) = _sentences(values)

    assert sentence.startswith("'a' alone gives the target (R2 ")
    assert sentence.endswith("leave it out with --drop a")


@pytest.mark.parametrize(
    "values",
    [
        draw.normal(size=ROWS),
        y + draw.normal(size=ROWS) * y.std() * 0.3,
        np.full(ROWS, 3.0),
        np.where(np.arange(ROWS) < 2, y, np.nan),
    ],
    ids=["noise", "a good feature", "constant", "two rows"],
)
def test_what_does_not_is_not(values: np.ndarray) -> None:
    assert _sentences(values) == []


def test_a_category_is_judged_by_its_groups() -> None:
    codes = np.arange(ROWS, dtype=np.float64) % 4
    grade = Feature("grade", "category", categories=("a", "b", "c", "d"))
    by_grade = np.array([3.0, 9.0, 1.0, 4.0])[codes.astype(int)]

    assert explains(grade, codes, by_grade) == pytest.approx(1)
    assert explains(grade, codes, y) < 0.1


def test_many_categories_are_not_taken_for_knowledge() -> None:
    """With nearly as many groups as rows, groups alone explain nearly all of any target."""
    codes = np.minimum(np.arange(ROWS), ROWS - 5).astype(float)
    ident = Feature("id", "category", categories=tuple(map(str, range(ROWS - 4))))

    assert explains(ident, codes, draw.normal(size=ROWS)) < 0.999
    assert explains(ident, np.arange(ROWS, dtype=float), y) == 0


def test_of_a_large_table_some_rows_tell() -> None:
    target = draw.normal(size=250_001)

    assert _sentences(target * 2, target)
    assert not _sentences(draw.normal(size=250_001), target)


def test_training_says_so_and_the_manifest_does_not(tmp_path: Path) -> None:
    """The sentence is for the terminal: `notes` are published, `remarks` are not."""
    lines = [f"{value:.6f},{value / 1.17:.4f},{row * 7 % 40}" for row, value in enumerate(y)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["price,in euro,b", *lines, ""]))

    found = make_dataset(read_table(path), "price")

    (said,) = found.remarks
    assert said.startswith("'in euro' alone gives the target (R2 1.0000)")
    assert said.endswith("--drop 'in euro'")
    assert f"  {said}" in list(about_data(found))
    assert not any("alone" in note for note in found.notes)


def test_the_built_in_data_have_none() -> None:
    data = diabetes()

    assert list(leaks(data.schema.features, data.x, data.y)) == []
