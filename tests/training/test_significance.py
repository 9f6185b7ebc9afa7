"""The corrected resampled t-test against other people's arithmetic."""

import math

import numpy as np
import pytest
from scipy import stats

from app.training.significance import corrected_t_test

VALUES = np.random.default_rng(0).normal(-0.3, 1.0, 30)
ROWS = 1000
"""Enough not to bound the degrees of freedom."""


def test_without_shared_rows_it_is_the_t_test_of_the_textbooks() -> None:
    expected = stats.ttest_1samp(VALUES, 0.0, alternative="less")

    found = corrected_t_test(VALUES, 0.0, ROWS)

    assert (found.t, found.p) == pytest.approx((expected.statistic, expected.pvalue))
    assert found.df == 29
    assert found.mean == pytest.approx(VALUES.mean())


@pytest.mark.parametrize("folds", [2, 5, 10])
def test_the_variance_is_corrected_by_rows_tested_on_over_rows_trained_on(folds: int) -> None:
    found = corrected_t_test(VALUES, 1 / folds, ROWS)

    tested_over_trained = 1 / (folds - 1)
    variance = (1 / 30 + tested_over_trained) * VALUES.var(ddof=1)
    t = VALUES.mean() / math.sqrt(variance)
    assert found.standard_error == pytest.approx(math.sqrt(variance))
    assert found.t == pytest.approx(t)
    assert found.p == pytest.approx(stats.t.cdf(t, df=29))


def test_rows_of_unequal_weight_are_worth_fewer_to_train_on() -> None:
    found = corrected_t_test(VALUES, 0.1, ROWS, design_effect=3.0)

    variance = (1 / 30 + 3.0 / 9) * VALUES.var(ddof=1)
    assert found.standard_error == pytest.approx(math.sqrt(variance))
    assert found.df == 29


@pytest.mark.parametrize(("rows", "df"), [(4, 1), (20, 9), (59, 28), (60, 29), (10_000, 29)])
def test_few_rows_are_no_more_for_being_drawn_again(rows: int, df: int) -> None:
    found = corrected_t_test(VALUES, 0.1, rows)

    assert found.df == df
    assert found.t == pytest.approx(corrected_t_test(VALUES, 0.1, ROWS).t)
    assert found.p == pytest.approx(stats.t.cdf(found.t, df=df))


def test_values_whose_squares_vanish_are_tested_like_others() -> None:
    found, expected = (corrected_t_test(VALUES * unit, 0.1, ROWS) for unit in (1e-200, 1.0))

    assert (found.t, found.p) == pytest.approx((expected.t, expected.p))


def test_it_is_one_sided() -> None:
    below, above = (corrected_t_test(values, 0.1, ROWS) for values in (VALUES, -VALUES))

    assert below.p < 0.5 < above.p
    assert below.p + above.p == pytest.approx(1.0)


@pytest.mark.parametrize(("value", "p"), [(-1e-9, 0.0), (0.0, 1.0), (2.0, 1.0)])
def test_values_that_are_all_the_same_leave_nothing_to_chance(value: float, p: float) -> None:
    found = corrected_t_test(np.full(20, value), 0.1, ROWS)

    assert (found.t, found.p, found.standard_error) == (None, p, 0.0)
