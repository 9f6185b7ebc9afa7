"""Mixtures of a table's rows are nobody's, wherever the table leaves room for that."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.training.mixture import mixed, mixture

Array = NDArray[np.float64]
DRAWN = list(range(20))


def _rows(x: Array) -> list[tuple[Any, ...]]:
    """Rows that can be compared: a missing value equals a missing one."""
    return [tuple(None if math.isnan(value) else value for value in row) for row in x.tolist()]


def _values(x: Array) -> Array:
    """The values of a mixture of all rows."""
    return x[mixed(x), np.arange(x.shape[1])]


def _incomes(rows: int, seed: int) -> Array:
    """One of two sexes, a second income that seven in ten lack, and an income of one's own."""
    generator = np.random.default_rng(seed)
    second = generator.integers(100, 1000, rows).astype(float)
    second[generator.random(rows) < 0.7] = np.nan
    income = generator.permutation(rows) * 7.0
    return np.column_stack([generator.integers(0, 2, rows), second, income])


@pytest.mark.parametrize(("rows", "columns", "most"), [(20, 10, 1), (20, 20, 1), (6, 10, 2)])
def test_what_stood_together_in_the_table_is_parted(rows: int, columns: int, most: int) -> None:
    x = np.arange(float(rows * columns)).reshape(rows, columns)

    y = _values(x)

    assert np.array_equal(np.sort(y, axis=0), x)
    origins = (y // columns).astype(int)
    together = [np.bincount(row).max() for row in origins]
    assert max(together) <= most


def test_the_example_has_no_missing_value_where_others_have() -> None:
    x = np.array([[1.0, 2.0, 3.0], [math.nan, 5.0, math.nan], [7.0, math.nan, math.nan]])

    y = _values(x)

    assert not np.isnan(y[0]).any()
    assert np.isnan(y).sum() == np.isnan(x).sum()


@pytest.mark.parametrize("seed", range(10))
def test_no_row_of_a_table_with_few_values_and_many_gaps_is_in_its_mixture(seed: int) -> None:
    x = _incomes(1000, seed)

    y = mixture(x, DRAWN, seed)

    assert set(_rows(_values(x[DRAWN]))) & set(_rows(x))  # it takes more than moving columns
    assert not set(_rows(y)) & set(_rows(x))
    assert len(y) > 0.9 * len(DRAWN)
    assert not np.isnan(y[0]).any()


def test_the_same_seed_makes_the_same_mixture() -> None:
    x = _incomes(1000, 0)

    np.testing.assert_array_equal(mixture(x, DRAWN, 5), mixture(x, DRAWN, 5))
    assert not np.array_equal(mixture(x, DRAWN, 5), mixture(x, DRAWN, 6), equal_nan=True)


def test_rows_that_cannot_become_others_are_left_out() -> None:
    x = np.array([[a, b] for a in range(5) for b in range(4) if (a, b) != (4, 3)] * 2, dtype=float)

    y = mixture(x, DRAWN, 0)

    assert set(_rows(y)) == {(4.0, 3.0)}
    assert len(y) < len(DRAWN)


@pytest.mark.parametrize(
    "x",
    [
        np.arange(50.0).reshape(50, 1),
        np.array([[0.0], [1.0]] * 20),
        np.zeros((30, 3)),
    ],
    ids=["one column", "one boolean", "always the same"],
)
def test_there_is_a_mixture_also_where_it_can_only_be_of_the_table_s_rows(x: Array) -> None:
    y = mixture(x, DRAWN, 0)

    assert len(y) == len(DRAWN)
    assert set(_rows(y)) <= set(_rows(x))


def test_where_all_combinations_occur_every_value_is_still_in_the_mixture() -> None:
    x = np.array([[a, b] for a in (0.0, 1.0, math.nan) for b in range(4)] * 3)

    y = mixture(x, DRAWN, 0)

    assert len(y) == len(DRAWN)
    assert set(_rows(y)) <= set(_rows(x))
    assert [len(set(column)) for column in zip(*_rows(y), strict=True)] == [3, 4]


def test_zero_and_minus_zero_are_the_same_value() -> None:
    x = np.array([[a, b] for a in (0.0, -0.0) for b in (1.0, 2.0)] * 5)

    assert len(mixture(x, DRAWN, 0)) == len(DRAWN)  # all combinations occur
