"""Cross-validation says what it says, no more."""

import math

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import KFold
from sklearn.model_selection import cross_validate as reference

from app.errors import DataError
from app.training.candidates import linear_regression
from app.training.dataset import Dataset, diabetes
from app.training.evaluation import Evaluation, Score, cross_validate, measure
from tests.training.tables import dataset

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


def test_imputation_learns_from_the_training_rows_of_each_turn_alone() -> None:
    data = dataset(missing=True)
    train, test = next(KFold(5, shuffle=True, random_state=0).split(data.x))
    fitted = linear_regression(data.schema).fit(data.x[train], data.y[train])

    found = _evaluate(data)

    assert (
        found.model["rmse"].folds[0] == measure(data.y[test], fitted.predict(data.x[test]))["rmse"]
    )


def test_the_spread_is_the_standard_deviation_over_the_folds() -> None:
    score = Score((1.0, 2.0, 6.0))

    assert score.mean == 3.0
    assert score.std == pytest.approx(math.sqrt(7))


def test_r2_is_not_defined_for_a_fold_of_equal_targets_and_leaves_the_mean_alone() -> None:
    assert measure(np.array([2.0, 2.0]), np.array([1.0, 3.0]))["r2"] is None
    assert Score((0.5, None, 0.7)).to_json() == {
        "mean": pytest.approx(0.6),
        "std": pytest.approx(math.sqrt(0.02)),
        "folds": [0.5, None, 0.7],
    }
    assert (Score((None,)).mean, Score((None,)).std) == (None, None)


def test_an_overflow_is_refused_instead_of_written_as_infinity() -> None:
    with pytest.raises(DataError, match="rescale"):
        measure(np.array([0.0, 1e200]), np.array([1e200, 0.0]))


def test_the_manifest_gets_every_fold_of_model_and_baseline() -> None:
    found = _evaluate(dataset(), folds=4, seed=9).to_json()

    assert (found["folds"], found["repeats"], found["seed"]) == (4, 1, 9)
    for scores in (found, found["baseline"]):
        assert all(len(scores[name]["folds"]) == 4 for name in ("r2", "rmse", "mae"))
