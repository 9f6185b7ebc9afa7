"""Linear regression as a candidate, and its parameters as plain numbers."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from app.linear import Linear
from app.training.candidates import linear_regression
from app.training.dataset import Dataset, diabetes
from app.training.linear import agree, parameters
from tests.training.tables import dataset, numbers_only

ALL_KINDS = {
    "numbers": numbers_only(),
    "numbers of unlike units": numbers_only(scales=(1e9, 1e-3)),
    "all kinds": dataset(),
    "all kinds, missing values": dataset(missing=True),
    "all kinds, missing values, unlike units": dataset(missing=True, scales=(1e9, 1e-3)),
    "diabetes": diabetes(),
}


@pytest.mark.parametrize("data", ALL_KINDS.values(), ids=ALL_KINDS.keys())
def test_the_plain_numbers_give_the_answers_of_the_pipeline_on_every_row(data: Dataset) -> None:
    fitted = linear_regression(data.schema).fit(data.x, data.y)

    linear = parameters(fitted, data.schema)

    answers = Linear(linear, data.schema).predict(data.x)
    np.testing.assert_allclose(answers, fitted.predict(data.x), rtol=1e-9, atol=1e-9)


def test_every_feature_is_in_the_plain_numbers_once_and_missing_only_where_it_can_be() -> None:
    data = dataset(missing=True)

    linear = parameters(linear_regression(data.schema).fit(data.x, data.y), data.schema)

    assert list(linear["coefficients"]) == ["first", "second"]
    assert {name: len(values) for name, values in linear["categories"].items()} == {
        "member": 2,
        "kind": 3,
    }
    assert set(linear["missing"]) == {"first", "second", "member", "kind"}


def test_plain_numbers_are_fitted_without_a_pipeline() -> None:
    assert isinstance(linear_regression(numbers_only().schema), LinearRegression)
    assert isinstance(linear_regression(dataset().schema), Pipeline)


def test_a_column_in_a_large_unit_does_not_silence_one_in_a_small_unit() -> None:
    small, large = numbers_only(), numbers_only(scales=(1e9, 1e-3))

    answers = [
        linear_regression(data.schema).fit(data.x, data.y).predict(data.x)
        for data in (small, large)
    ]

    np.testing.assert_allclose(answers[0], answers[1], rtol=1e-6)


def test_a_column_given_twice_shares_its_weight_and_changes_no_answer() -> None:
    data = numbers_only()
    once = linear_regression(data.schema).fit(data.x, data.y)
    twice = linear_regression(data.schema).fit(data.x[:, [0, 0, 1]], data.y)

    assert twice.coef_[0] == pytest.approx(twice.coef_[1])
    np.testing.assert_allclose(twice.predict(data.x[:, [0, 0, 1]]), once.predict(data.x))


def test_the_values_of_one_category_do_not_blow_up_its_coefficients() -> None:
    data = dataset()

    linear = parameters(linear_regression(data.schema).fit(data.x, data.y), data.schema)

    contributions = linear["categories"]["kind"]
    assert max(map(abs, contributions)) < 10
    assert contributions[2] - contributions[0] == pytest.approx(4, abs=1)


def test_a_part_of_the_rows_without_any_known_value_of_a_column_can_be_fitted() -> None:
    data = dataset(missing=True)
    x = data.x.copy()
    x[:60, 0] = np.nan

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = linear_regression(data.schema).fit(x[:60], data.y[:60])

    assert np.isfinite(fitted.predict(x)).all()


def test_plain_numbers_that_lose_digits_are_told_from_those_that_do_not() -> None:
    near, far = numbers_only(), numbers_only()
    far.x[:] += 1e12
    agreed = []

    for data in (near, far):
        fitted = linear_regression(data.schema).fit(data.x, data.y)
        linear = parameters(fitted, data.schema)
        exact = (data.x - data.x.mean(axis=0)) @ fitted.coef_ + data.y.mean()
        agreed.append(agree(linear, data.schema, data.x, exact))

    assert agreed == [True, False]
