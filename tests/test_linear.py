"""A linear model as plain numbers: what they say is what is answered, to the last bit."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.checking import to_matrix
from app.linear import Linear
from app.schema import Schema
from tests.support.models import MIXED, PLAIN

PLAIN_NUMBERS: dict[str, Any] = {
    "intercept": 1.5,
    "coefficients": {"width": 2.0, "height": -1.0, "depth": 0.25},
    "categories": {},
    "missing": {},
}
MIXED_NUMBERS: dict[str, Any] = {
    "intercept": 10.0,
    "coefficients": {"age": 0.5, "member": 3.0},
    "categories": {"housing": [1.0, 2.0, 4.0], "job": [8.0, 16.0]},
    "missing": {"age": -7.0, "job": 32.0},
}
NAN = math.nan

VALUES = st.floats(-1e100, 1e100)
ROWS = st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=40)


def test_an_answer_is_the_intercept_and_the_contributions() -> None:
    model = Linear(PLAIN_NUMBERS, PLAIN)

    y = model.predict(np.array([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]]))

    assert y.tolist() == [1.5 + 2.0 - 2.0 + 1.0, 1.5]


@pytest.mark.parametrize(
    ("row", "y"),
    [
        ([20.0, 0.0, 0.0, 0.0], 10.0 + 10.0 + 1.0 + 8.0),
        ([20.0, 2.0, 1.0, 1.0], 10.0 + 10.0 + 4.0 + 16.0 + 3.0),
        ([NAN, 1.0, NAN, 1.0], 10.0 - 7.0 + 2.0 + 32.0 + 3.0),
    ],
)
@pytest.mark.parametrize("copies", [1, 3])
def test_categories_booleans_and_missing_values_contribute_what_is_written(
    row: list[float], y: float, copies: int
) -> None:
    model = Linear(MIXED_NUMBERS, MIXED)

    assert model.predict(np.array([row] * copies)).tolist() == [y] * copies


@given(ROWS)
def test_a_row_is_answered_alike_alone_and_among_others(rows: list[tuple[float, ...]]) -> None:
    model = Linear(
        PLAIN_NUMBERS | {"coefficients": {"width": 0.1, "height": -0.7, "depth": 3.3}}, PLAIN
    )
    matrix = np.array(rows)

    together = model.predict(matrix)

    alone = [model.predict(matrix[place : place + 1])[0] for place in range(len(rows))]
    assert together.tobytes() == np.array(alone).tobytes()


@pytest.mark.parametrize(
    "numbers",
    [
        {},
        PLAIN_NUMBERS | {"intercept": "much"},
        PLAIN_NUMBERS | {"coefficients": {"width": 2.0}},
        PLAIN_NUMBERS | {"missing": {"width": 1.0}},
    ],
    ids=["nothing", "text", "a feature lacks", "never missing"],
)
def test_numbers_that_do_not_fit_the_schema_are_refused(numbers: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Linear(numbers, PLAIN)


@pytest.mark.parametrize(
    "categories", [{"housing": [1.0], "job": [8.0, 16.0]}, {"job": [8.0, 16.0]}]
)
def test_categories_that_do_not_fit_the_schema_are_refused(categories: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError)):
        Linear(MIXED_NUMBERS | {"categories": categories}, MIXED)


ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**63), 2**64 - 1),
    st.sampled_from(
        [None, True, False, "own", "rent", "skilled: yes", "unskilled", "", [], {}, 1e101]
    ),
)


@pytest.mark.parametrize(("numbers", "schema"), [(PLAIN_NUMBERS, PLAIN), (MIXED_NUMBERS, MIXED)])
@given(data=st.data())
def test_a_row_out_of_json_is_answered_as_by_way_of_the_matrix_or_not_at_all(
    numbers: dict[str, Any], schema: Schema, data: st.DataObject
) -> None:
    row = data.draw(st.lists(ANYTHING, min_size=len(schema.names) - 1, max_size=len(schema.names)))
    by_name = dict(zip(schema.names, row, strict=False))
    model = Linear(numbers, schema)

    for shape in (row, by_name):
        y = model.predict_json(shape)

        if y is not None:
            assert np.array([y]).tobytes() == model.predict(to_matrix(schema, [shape])).tobytes()


@pytest.mark.parametrize(
    "row", [[20, "rent", "unskilled", True], [20.5, "free", "skilled: yes", False]]
)
def test_a_plain_row_needs_no_matrix(row: list[Any]) -> None:
    assert Linear(MIXED_NUMBERS, MIXED).predict_json(row) is not None
