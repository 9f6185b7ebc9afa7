"""Cross-validation says what it says, no more."""

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.model_selection import cross_validate as reference

from app.errors import DataError
from app.training.candidates import linear_regression
from app.training.dataset import Dataset, diabetes
from app.training.evaluation import (
    Evaluation,
    Measured,
    Score,
    cross_validate,
    measure,
    pooled,
)
from tests.training.tables import ROWS, dataset, numbers_only

DIABETES = diabetes()

REFERENCE = {
    "r2": "r2",
    "rmse": "neg_root_mean_squared_error",
    "mae": "neg_mean_absolute_error",
}


def _evaluate(data: Dataset, folds: int = 5, seed: int = 0) -> Evaluation:
    return cross_validate(linear_regression(data.schema), data, folds, seed, lambda *_: None)


def test_measures_agree_with_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    known, answered = draw.normal(size=30), draw.normal(size=30)

    assert measure(known, answered) == pytest.approx(
        {
            "r2": r2_score(known, answered),
            "rmse": root_mean_squared_error(known, answered),
            "mae": mean_absolute_error(known, answered),
        }
    )


@pytest.mark.parametrize("unit", [2.0**-1060, 2.0**-1000, 2.0**-550, 2.0**480])
def test_the_unit_of_the_target_changes_no_measure(unit: float) -> None:
    data = numbers_only()
    whole = np.rint(data.y * 8)  # few digits, so that the smallest unit rounds none
    expected = _evaluate(replace(data, y=whole))

    found = _evaluate(replace(data, y=whole * unit))

    for name in ("rmse", "mae"):
        score, as_it_was = found.model[name], expected.model[name]
        assert (score.pooled or 0) / unit == pytest.approx(as_it_was.pooled, rel=1e-3)
        assert (score.std or 0) / unit == pytest.approx(as_it_was.std, rel=1e-3)
    assert found.model["r2"].pooled == pytest.approx(expected.model["r2"].pooled, rel=1e-3)


def test_every_fold_agrees_with_scikit_learn_s_own_cross_validation() -> None:
    data = diabetes()
    splits = KFold(10, shuffle=True, random_state=3)

    found = _evaluate(data, folds=10, seed=3)

    for scores, estimator in (
        (found.model, LinearRegression()),
        (found.baseline, DummyRegressor()),
    ):
        expected = reference(estimator, data.x, data.y, cv=splits, scoring=REFERENCE)
        for name, score in scores.items():
            folds = np.abs(expected[f"test_{name}"]) if name != "r2" else expected["test_r2"]
            np.testing.assert_allclose(np.array(score.folds, float), folds)


@pytest.mark.parametrize(("rows", "folds"), [(20, 10), (23, 10), (23, 23), (442, 10)])
def test_the_figures_over_all_rows_are_those_of_all_their_errors(rows: int, folds: int) -> None:
    data = replace(DIABETES, x=DIABETES.x[:rows, :4], y=DIABETES.y[:rows], groups=np.arange(rows))
    splits = KFold(folds, shuffle=True, random_state=3)

    found = _evaluate(data, folds=folds, seed=3)

    mean = cross_val_predict(DummyRegressor(), data.x, data.y, cv=splits)
    for scores, estimator in (
        (found.model, LinearRegression()),
        (found.baseline, DummyRegressor()),
    ):
        answers = cross_val_predict(estimator, data.x, data.y, cv=splits)
        assert {name: score.pooled for name, score in scores.items()} == pytest.approx(
            {
                "r2": 1 - np.square(answers - data.y).sum() / np.square(mean - data.y).sum(),
                "rmse": root_mean_squared_error(data.y, answers),
                "mae": mean_absolute_error(data.y, answers),
            }
        )


def test_the_rmse_over_all_rows_is_no_mae_however_small_the_folds() -> None:
    found = _evaluate(numbers_only(), folds=ROWS).model

    assert found["rmse"].mean == pytest.approx(found["mae"].mean)
    assert (found["rmse"].pooled or 0) > 1.1 * (found["mae"].pooled or 0)


def test_predicting_the_mean_has_an_r2_of_zero_over_all_rows() -> None:
    found = _evaluate(dataset(), folds=30).baseline["r2"]

    assert found.pooled == 0.0
    assert (found.mean or 0) < -0.2


def test_r2_over_all_rows_is_not_defined_where_the_mean_is_never_wrong() -> None:
    turn = measure(np.array([2.0, 2.0]), np.array([2.0, 2.0]))

    assert pooled([turn], [turn], [2]) == {"r2": None, "rmse": 0.0, "mae": 0.0}


def test_each_row_counts_once_in_folds_of_unequal_size() -> None:
    turns: list[Measured] = [{"r2": None, "rmse": 1.0, "mae": 1.0}] * 2
    turns[1] = {"r2": None, "rmse": 3.0, "mae": 2.0}
    baseline: list[Measured] = [{"r2": None, "rmse": 5.0, "mae": 5.0}] * 2

    found = pooled(turns, baseline, [3, 1])

    assert found == pytest.approx({"r2": 1 - 3 / 25, "rmse": math.sqrt(3), "mae": 1.25})


def test_imputation_learns_from_the_training_rows_of_each_turn_alone() -> None:
    data = dataset(missing=True)
    train, test = next(KFold(5, shuffle=True, random_state=0).split(data.x))
    fitted = linear_regression(data.schema).fit(data.x[train], data.y[train])

    found = _evaluate(data)

    assert (
        found.model["rmse"].folds[0] == measure(data.y[test], fitted.predict(data.x[test]))["rmse"]
    )


def test_the_spread_is_the_standard_deviation_over_the_folds() -> None:
    score = Score(2.5, (1.0, 2.0, 6.0))

    assert score.mean == 3.0
    assert score.std == pytest.approx(math.sqrt(7))


def test_r2_is_not_defined_for_a_fold_of_equal_targets_and_leaves_the_mean_alone() -> None:
    assert measure(np.array([2.0, 2.0]), np.array([1.0, 3.0]))["r2"] is None
    assert Score(0.55, (0.5, None, 0.7)).to_json() == {
        "pooled": 0.55,
        "mean": pytest.approx(0.6),
        "std": pytest.approx(math.sqrt(0.02)),
        "folds": [0.5, None, 0.7],
    }
    assert (Score(None, (None,)).mean, Score(None, (None,)).std) == (None, None)


def test_an_overflow_is_refused_instead_of_written_as_infinity() -> None:
    tiny: Measured = {"r2": None, "rmse": 1e-100, "mae": 1e-100}
    huge: Measured = {"r2": None, "rmse": 1e140, "mae": 1e140}

    with pytest.raises(DataError, match="rescale"):
        measure(np.array([0.0, 1e200]), np.array([1e200, 0.0]))
    with pytest.raises(DataError, match="rescale"):
        pooled([huge], [tiny], [2])


def test_the_manifest_gets_every_fold_of_model_and_baseline() -> None:
    found = _evaluate(dataset(), folds=4, seed=9).to_json()

    assert (found["folds"], found["repeats"], found["seed"]) == (4, 1, 9)
    for scores in (found, found["baseline"]):
        for name in ("r2", "rmse", "mae"):
            assert scores[name].keys() == {"pooled", "mean", "std", "folds"}
            assert len(scores[name]["folds"]) == 4
