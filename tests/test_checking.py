"""Rows to matrix: what is accepted, exactly as what, and what is refused."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.checking import to_matrix
from app.errors import InvalidInput
from app.schema import MAX_MAGNITUDE, Feature, Schema, Target
from tests.support import reference
from tests.support.models import MIXED, PLAIN, SINGLE

TARGET = Target("y", 0.0, 1.0)
CATEGORY = Schema((Feature("kind", "category", categories=("a", "b")),), TARGET)
SWITCH = Schema((Feature("on", "boolean", missing=True),), TARGET)
GAPS = Schema(
    (Feature("p", "number", 0, 1, missing=True), Feature("q", "number", 0, 1, missing=True)), TARGET
)
SCHEMAS = [PLAIN, MIXED, SINGLE, CATEGORY, SWITCH, GAPS]

NUMBERS = st.integers(-5, 5) | st.floats(-1e100, 1e100) | st.just(2**64 - 1)
WRONG: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, "", "1", "own", "a", "z" * 200, 1, 1.5, -0.0, 1e101, -1e308, [], [1], {}]
)


@st.composite
def batches(draw: st.DrawFn) -> tuple[Schema, list[Any]]:
    """A schema and rows for it, most of which are right."""
    schema = draw(st.sampled_from(SCHEMAS))
    return schema, draw(st.lists(_rows(schema), min_size=1, max_size=6))


def _rows(schema: Schema) -> st.SearchStrategy[Any]:
    values = [_values(feature) for feature in schema.features]
    right = st.tuples(*values).map(list)
    by_name = st.fixed_dictionaries(dict(zip(schema.names, values, strict=True)))
    names = st.sampled_from([*schema.names, "hight", ""])
    wrong = st.lists(WRONG, max_size=5) | st.dictionaries(names, WRONG, max_size=5) | WRONG
    return right | by_name | right | by_name | wrong


def _values(feature: Feature) -> st.SearchStrategy[Any]:
    right: st.SearchStrategy[Any] = NUMBERS
    if feature.kind != "number":
        right = st.sampled_from(feature.categories or (True, False))
    return st.one_of(right, right, right, st.none() if feature.missing else right, WRONG)


@settings(max_examples=600)
@given(batches())
def test_accepts_what_a_slow_check_accepts_and_names_each_wrong_place(
    batch: tuple[Schema, list[Any]],
) -> None:
    schema, rows = batch
    wrong = reference.wrong_places(schema, rows)

    if not wrong:
        expected = [reference.numbers(schema, row) for row in rows]
        np.testing.assert_array_equal(to_matrix(schema, rows), np.array(expected))
        return
    with pytest.raises(InvalidInput) as caught:
        to_matrix(schema, rows)

    places = [(problem.row, problem.feature) for problem in caught.value.details]
    assert caught.value.total == len(wrong)
    assert places == [(row, _cut(name)) for row, name in wrong[:20]]


def _cut(name: str | None) -> str | None:
    return name if name is None or len(name) <= 80 else f"{name[:80]}... ({len(name)} characters)"


def test_list_and_object_and_any_order_of_names_give_the_same_row() -> None:
    rows = [
        [1, 2, 0.5],
        {"width": 1, "height": 2, "depth": 0.5},
        {"depth": 0.5, "height": 2, "width": 1},
    ]

    matrix = to_matrix(PLAIN, rows)

    assert matrix.tolist() == [[1.0, 2.0, 0.5]] * 3
    assert matrix.dtype == np.float64


def test_categories_booleans_and_gaps_become_numbers() -> None:
    rows = [[30, "rent", "unskilled", True], [None, "free", None, False]]

    first, second = to_matrix(MIXED, rows).tolist()

    assert first == [30.0, 2.0, 1.0, 1.0]
    assert second[1::2] == [0.0, 0.0]
    assert all(math.isnan(value) for value in second[::2])


def test_bare_values_are_rows_where_there_is_one_feature() -> None:
    assert to_matrix(SINGLE, [1, 2.5, [3], {"speed": 4}]).tolist() == [[1.0], [2.5], [3.0], [4.0]]


@pytest.mark.parametrize("value", [0, -0.0, 5e-324, 2**53 + 1, 2**64, 1e100, -1e100, 0.1])
def test_number_becomes_the_float64_nearest_to_it(value: float) -> None:
    (found,) = to_matrix(SINGLE, [[value]])[0].tolist()

    assert math.copysign(1, found) == math.copysign(1, value)
    assert found == float(value)


@pytest.mark.parametrize("value", [MAX_MAGNITUDE * 1.01, -MAX_MAGNITUDE * 1.01, 1e308, math.inf])
def test_number_beyond_all_measurements_is_refused(value: float) -> None:
    with pytest.raises(InvalidInput, match=r"between -1e\+100 and 1e\+100"):
        to_matrix(SINGLE, [[value]])


def test_nan_is_refused_where_nothing_may_be_missing() -> None:
    with pytest.raises(InvalidInput):
        to_matrix(SINGLE, [[math.nan]])


@pytest.mark.parametrize("schema", [PLAIN, MIXED], ids=["plain", "mixed"])
def test_ragged_rows_are_refused_also_where_the_number_of_values_fits(schema: Schema) -> None:
    width = len(schema.features)

    for widths in ([width - 1, width + 1], [width + 1, width - 1], [1, 2 * width - 1], [2 * width]):
        with pytest.raises(InvalidInput, match=r"the row has|problems"):
            to_matrix(schema, [[None] * each for each in widths])


def test_object_with_as_many_names_but_a_wrong_one_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        to_matrix(PLAIN, [{"width": 1, "height": 2, "dept": 3}])

    assert [problem.feature for problem in caught.value.details] == ["dept", "depth"]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_no_rows_at_all_are_refused(schema: Schema) -> None:
    with pytest.raises(InvalidInput, match="there is no row"):
        to_matrix(schema, [])


@pytest.mark.parametrize("inner", [[2.0], [], {}])
def test_numbers_that_are_known_to_be_numbers_are_still_checked_for_their_place(
    inner: object,
) -> None:
    rows = [[1.0, 2.0, 3.0], [1.0, inner, 3.0]]

    with pytest.raises(InvalidInput) as caught:
        to_matrix(PLAIN, rows, only_numbers=True)

    assert [(p.row, p.feature) for p in caught.value.details] == [(1, "height")]
