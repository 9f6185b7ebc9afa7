"""Copies of a row are one observation: nothing is gained by writing a row down more often."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from app.training.comparison import Refit, Task, compare, splits
from app.training.copies import Array, count, effective, equal, groups, parted
from app.training.dataset import Dataset, diabetes
from app.training.evaluation import Evaluation, cross_validate
from tests.training.tables import dataset

TIMES = np.random.default_rng(0).integers(1, 8, 60)


def noise(rows: int = 60, columns: int = 30) -> tuple[Array, Array]:
    """Features and a target that have nothing to do with one another."""
    draw = np.random.default_rng(0)
    return draw.normal(size=(rows, columns)), draw.normal(size=rows)


def made(x: Array, y: Array) -> Dataset:
    return replace(diabetes(), x=x, y=y, groups=groups(x, y))


def evaluate(data: Dataset) -> Evaluation:
    return cross_validate(LinearRegression(), data, 10, 0, lambda *_: None)


def task(x: Array, y: Array) -> Task:
    return Task(x, y, groups(x, y), LinearRegression(), 10, 3, 0)


def test_groups_are_numbered_as_they_first_appear() -> None:
    x = np.array([[5.0, 1.0], [3.0, 1.0], [5.0, 1.0], [4.0, 0.0], [3.0, 1.0]])

    found = equal(x, np.zeros(5))

    assert found.tolist() == [0, 1, 0, 2, 1]
    assert count(found) == 3


def test_without_copies_each_row_is_its_own_group() -> None:
    assert groups(*noise()).tolist() == list(range(60))


def test_a_missing_value_equals_another_and_zero_has_no_sign() -> None:
    other_nan = np.frombuffer(b"\x01\x00\x00\x00\x00\x00\xf8\xff", "<f8")[0]
    x = np.array([[np.nan, 0.0], [other_nan, -0.0], [1.0, 0.0]])

    assert equal(x, np.array([0.0, -0.0, 0.0])).tolist() == [0, 0, 1]


def test_equal_features_with_another_target_are_another_observation() -> None:
    x = np.ones((3, 2))

    assert equal(x, np.array([1.0, 2.0, 1.0])).tolist() == [0, 1, 0]
    assert equal(x, np.array([1.0, np.nextafter(1.0, 2.0), 3.0])).tolist() == [0, 1, 2]


def test_rows_of_one_feature_and_of_all_kinds_are_told_apart_as_they_are() -> None:
    data = dataset(missing=True)
    twice = np.arange(240) % 120

    assert count(equal(np.arange(5.0)[:, None], np.zeros(5))) == 5
    assert groups(data.x[twice], data.y[twice]).tolist() == twice.tolist()


def test_a_state_that_comes_back_is_no_copy() -> None:
    x, y = noise(100, 3)
    rows = np.append(np.repeat(np.arange(1, 100), 2), np.zeros(41, dtype=int))

    found = groups(x[rows], y[rows])

    assert found.tolist() == [*np.repeat(np.arange(99), 2), *range(99, 140)]
    assert count(groups(x[rows[:-1]], y[rows[:-1]])) == 100  # twenty times as often as most


@pytest.mark.parametrize("values", [2, 5, 20])
def test_rows_that_may_be_equal_by_chance_are_no_copies(values: int) -> None:
    draw = np.random.default_rng(0)
    x = draw.integers(0, values, (500, 2)).astype(float)
    y = (x.sum(axis=1) > draw.integers(0, 2 * values, 500)).astype(float)

    assert count(equal(x, y)) < 500
    assert groups(x, y).tolist() == list(range(500))


@pytest.mark.parametrize(
    ("sizes", "worth"), [([1, 1, 1, 1], 4), ([5, 5, 5], 3), ([3, 1], 1.6), ([1000, 1, 1], 1.004002)]
)
def test_copies_that_are_not_equally_many_are_worth_fewer_rows(
    sizes: list[int], worth: float
) -> None:
    assert effective(np.repeat(np.arange(len(sizes)), sizes)) == pytest.approx(worth, rel=1e-6)


def test_all_rows_of_a_group_are_tested_on_or_none() -> None:
    train, test = parted(np.array([0, 1, 0, 2, 1]), np.array([False, True, False]))

    assert (train.tolist(), test.tolist()) == ([0, 2, 3], [1, 4])


@pytest.mark.parametrize("stacked", [True, False], ids=["table after table", "row after row"])
def test_a_table_five_times_over_predicts_no_better_than_once(stacked: bool) -> None:
    x, y = noise()
    rows = np.tile(np.arange(60), 5) if stacked else np.repeat(np.arange(60), 5)

    once, often = evaluate(made(x, y)), evaluate(made(x[rows], y[rows]))

    for measure in ("rmse", "mae"):
        for before, after in ((once.model, often.model), (once.baseline, often.baseline)):
            assert after[measure].pooled == pytest.approx(before[measure].pooled)
            np.testing.assert_allclose(
                np.array(after[measure].folds, float), np.array(before[measure].folds, float)
            )


def test_no_copy_of_a_row_that_is_tested_on_is_trained_on() -> None:
    x, y = noise()
    rows = np.random.default_rng(1).permutation(np.repeat(np.arange(60), TIMES))
    data = made(x[rows], y[rows])
    counts = data.groups < 25

    found = list(splits(task(data.x, data.y), counts))

    assert len(found) == 30
    for train, test in found:
        assert sorted([*train, *test]) == list(range(len(rows)))
        assert not set(data.groups[train]) & set(data.groups[test])
    for repetition in (found[:10], found[10:20], found[20:]):
        tested = [set(data.groups[test]) for _, test in repetition]
        assert {len(each) for each in tested} == {6}
        assert {len({group for group in each if group < 25}) for each in tested} == {2, 3}


def test_rows_that_count_are_spread_evenly_where_only_some_copies_of_them_do() -> None:
    x, y = noise(40, 2)
    rows = np.repeat(np.arange(40), 3)
    counts = (np.arange(120) % 3 == 1) & (rows < 20)

    for _, test in splits(task(x[rows], y[rows]), counts):
        assert counts[test].sum() == 2


def test_a_comparison_takes_into_account_that_copies_are_not_equally_many() -> None:
    x, y = noise(60, 3)

    def compared(times: int | np.ndarray) -> float:
        rows = np.repeat(np.arange(60), times)
        held = task(x[rows], y[rows])
        refit = Refit(held.x[:, :2].copy(), LinearRegression())
        (found,) = compare(held, refit, None, lambda *_: None)
        return found.design_effect

    assert compared(1) == compared(5) == 1.0
    assert compared(TIMES) == pytest.approx(60 * (TIMES**2).sum() / TIMES.sum() ** 2)
