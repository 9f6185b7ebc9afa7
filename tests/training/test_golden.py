"""Golden rows cover what the table holds, and come out the same for the same seed."""

import math
from dataclasses import replace

import numpy as np
import pytest

from app.checking import to_matrix
from app.training.candidates import linear_regression
from app.training.dataset import Dataset, diabetes
from app.training.golden import ROWS, draw, golden_rows
from tests.training.tables import dataset, numbers_only


@pytest.mark.parametrize("data", [diabetes(), dataset(missing=True)], ids=["diabetes", "mixed"])
def test_there_are_twenty_different_rows_the_same_for_the_same_seed(data: Dataset) -> None:
    rows = draw(data, seed=5)

    assert len(set(rows)) == ROWS
    assert rows == draw(data, seed=5)
    assert rows != draw(data, seed=6)


def test_the_first_row_has_no_missing_value_because_it_is_the_example() -> None:
    data = dataset(missing=True)
    data.x[0, 0] = math.nan

    assert not np.isnan(data.x[draw(data, seed=0)[0]]).any()


def test_every_kind_of_missing_value_every_category_and_every_extreme_is_among_them() -> None:
    data = dataset(missing=True)

    drawn = data.x[draw(data, seed=0)]

    assert np.isnan(drawn).any(axis=0).all()
    assert {0.0, 1.0, 2.0} <= set(drawn[:, 3])
    for place in (0, 1):
        assert np.nanmin(drawn[:, place]) == np.nanmin(data.x[:, place])
        assert np.nanmax(drawn[:, place]) == np.nanmax(data.x[:, place])


def test_a_table_of_fewer_rows_gives_all_of_them() -> None:
    data = numbers_only()
    small = replace(data, x=data.x[:6], y=data.y[:6])

    assert sorted(draw(small, seed=0)) == list(range(6))


def test_the_answers_are_those_for_the_rows_in_request_form() -> None:
    data = dataset(missing=True)
    fitted = linear_regression(data.schema).fit(data.x, data.y)

    golden = golden_rows(fitted.predict, data, seed=0)

    matrix = to_matrix(data.schema, [list(row) for row in golden.x])
    np.testing.assert_allclose(golden.y, fitted.predict(matrix), rtol=1e-12)
    assert all(type(answer) is float for answer in golden.y)


def test_no_row_of_the_table_is_published() -> None:
    data = diabetes()
    fitted = linear_regression(data.schema).fit(data.x, data.y)

    golden = golden_rows(fitted.predict, data, seed=0)

    known = {tuple(row) for row in data.x.tolist()}
    assert not known & {tuple(row) for row in golden.x}
