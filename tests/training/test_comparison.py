"""Champion and challenger are scored on the same rows, each row by a model that has not seen it."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import cross_val_score

from app.training.comparison import (
    REPEATS,
    Comparison,
    Published,
    Refit,
    Task,
    compare,
    repeats_for,
    splits,
)
from app.training.dataset import diabetes
from app.training.significance import corrected_t_test

DATA = diabetes()
TASK = Task(DATA.x, DATA.y, DATA.groups, LinearRegression(), folds=5, repeats=3, seed=7)


def quiet(*_: int) -> None:
    """No progress."""


def test_the_champion_s_recipe_is_refitted_on_the_very_folds_of_the_challenger() -> None:
    folds = list(splits(TASK))
    champion, x = Ridge(0.1), DATA.x[:, :4]

    (found,) = compare(TASK, Refit(x, champion), None, quiet)

    for errors, estimator, matrix in (
        (found.challenger, LinearRegression(), DATA.x),
        (found.champion, champion, x),
    ):
        expected = cross_val_score(
            estimator, matrix, DATA.y, cv=folds, scoring="neg_root_mean_squared_error"
        )
        np.testing.assert_allclose(errors, -expected)
    assert (found.form, found.rows, found.test_share) == ("refitted", 442, 0.2)


@pytest.mark.parametrize("new", [None, 3, 30, 103])
def test_each_repetition_tests_each_row_once_and_spreads_new_rows_evenly(new: int | None) -> None:
    counts = None if new is None else np.random.default_rng(1).permutation(103) < new
    task = Task(np.zeros((103, 1)), np.zeros(103), np.arange(103), LinearRegression(), 10, 3, 0)

    found = list(splits(task, counts))

    assert len(found) == 30
    for repetition in (found[:10], found[10:20], found[20:]):
        assert sorted(np.concatenate([test for _, test in repetition])) == list(range(103))
        for of_interest in ([True] * 103, counts):
            if of_interest is not None:
                sizes = [int(np.asarray(of_interest)[test].sum()) for _, test in repetition]
                assert max(sizes) - min(sizes) <= 1
    for train, test in found:
        assert sorted([*train, *test]) == list(range(103))
    assert list(found[0][1]) != list(found[10][1])


def test_a_published_champion_is_judged_on_rows_that_are_new_to_it_in_every_fold() -> None:
    counts = np.zeros(442, dtype=bool)
    counts[300:] = True
    answers = np.where(counts, DATA.y + 10.0, np.nan)

    (found,) = compare(TASK, None, Published(answers, counts), quiet)

    assert (found.form, found.rows) == ("as is", 142)
    # A NaN, or a fold without a new row, would show here.
    np.testing.assert_allclose(found.champion, 10.0)
    assert len(found.challenger) == 15


def test_the_challenger_is_scored_on_the_same_new_rows_and_trained_on_all_others() -> None:
    x, y = np.zeros((40, 1)), np.zeros(40)
    counts = np.arange(40) < 10
    y[counts] = 8.0

    task = Task(x, y, np.arange(40), LinearRegression(), 10, 1, 0)

    (found,) = compare(task, None, Published(np.zeros(40), counts), quiet)

    # In each fold one new row; of the 36 rows trained on, 9 are new, so that their mean is 2.
    np.testing.assert_allclose(found.champion, 8.0)
    np.testing.assert_allclose(found.challenger, 6.0)


def test_both_forms_can_be_compared_at_once_on_the_same_folds() -> None:
    counts = np.ones(442, dtype=bool)
    refit = Refit(DATA.x, LinearRegression())

    refitted, as_is = compare(TASK, refit, Published(DATA.y.copy(), counts), quiet)

    assert (refitted.form, as_is.form) == ("refitted", "as is")
    np.testing.assert_array_equal(refitted.challenger, as_is.challenger)
    np.testing.assert_array_equal(refitted.challenger, refitted.champion)


def test_the_margin_is_a_part_of_the_champion_s_error_fold_by_fold() -> None:
    draw = np.random.default_rng(0)
    champion = draw.uniform(9, 11, 20)
    challenger = champion + draw.normal(0, 0.1, 20)
    comparison = Comparison("refitted", 100, 100, challenger, champion, 0.1)

    found = comparison.excess(0.05)

    assert found == corrected_t_test(challenger - 1.05 * champion, 0.1, 100)
    assert found.p < 0.001 < comparison.excess(0.0).p


def test_the_same_model_is_neither_worse_by_a_margin_nor_better() -> None:
    (found,) = compare(TASK, Refit(DATA.x, LinearRegression()), None, quiet)

    assert found.excess(0.05).p < 1e-6
    assert found.excess(0.0).p == 1.0


@pytest.mark.parametrize("reverse", [False, True], ids=["to the bit", "but for rounding"])
def test_one_row_beyond_all_others_leaves_nothing_to_chance_where_the_recipe_is_the_same(
    reverse: bool,
) -> None:
    y = DATA.y.copy()
    y[7] = 1e9
    x = DATA.x[:, ::-1].copy() if reverse else DATA.x

    (found,) = compare(replace(TASK, y=y), Refit(x, LinearRegression()), None, quiet)

    assert found.champion.max() > 5 * np.median(found.champion)
    assert found.excess(0.05).p == 0.0
    assert found.excess(0.0).p == 1.0


def test_errors_that_are_nothing_but_rounding_are_no_difference() -> None:
    x = np.random.default_rng(0).normal(size=(60, 3))
    y = x @ np.array([1.0, 2.0, 3.0])
    task = Task(x, y, np.arange(60), LinearRegression(), 5, 2, 0)

    (found,) = compare(task, Refit(x[:, ::-1].copy(), LinearRegression()), None, quiet)

    np.testing.assert_array_equal(found.challenger, found.champion)
    assert found.excess(0.05).p == 0.0


def test_progress_is_told_before_each_fold_and_at_the_end() -> None:
    told: list[tuple[int, int]] = []

    compare(TASK, Refit(DATA.x, LinearRegression()), None, lambda *at: told.append(at))

    assert told == [(done, 15) for done in range(16)]


@pytest.mark.parametrize(
    ("rows", "folds", "repeats"),
    [
        (442, 10, REPEATS),
        (20_000, 10, REPEATS),
        (50_000, 10, 4),
        (10**6, 10, 1),
        (20_000, 10**4, 1),
    ],
)
def test_large_tables_are_repeated_less_often(rows: int, folds: int, repeats: int) -> None:
    assert repeats_for(rows, folds) == repeats
