"""What people are told about rows that were not accepted."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.checking import to_matrix
from app.diagnosis import count_problems, diagnose, enumerated, nearest, shortened
from app.errors import InvalidInput, Problem
from app.protocols.native import encode_error
from app.schema import Feature, Schema, Target
from tests.support.models import MIXED, PLAIN, SINGLE

TARGET = Target("y", 0.0, 1.0)


def told(schema: Schema, *rows: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        to_matrix(schema, rows)
    return caught.value


def test_one_problem_is_the_message() -> None:
    error = told(PLAIN, [1, "2", 3])

    assert error.message == "row 0, 'height': must be a number, without quotes"
    assert error.details == (Problem(0, "height", "must be a number, without quotes", "2"),)


def test_all_problems_of_all_rows_are_told_at_once() -> None:
    error = told(PLAIN, [True, 2, None], [1, 2, 3], [1, 2], {"width": 1, "height": 2, "a": 3})

    assert error.message == "5 problems in 4 rows: see details"
    assert [(p.row, p.feature) for p in error.details] == [
        (0, "width"),
        (0, "depth"),
        (2, "depth"),
        (3, "a"),
        (3, "depth"),
    ]


def test_of_many_problems_20_are_told_and_the_others_counted() -> None:
    error = told(PLAIN, *[["a", "b", "c"]] * 1000)

    assert error.message == (
        "3000 problems in 1000 rows: the first 20 are in details, 2980 more are not"
    )
    assert len(error.details) == 20
    assert error.total == 3000


def test_what_is_wrong_far_behind_is_found_and_counted() -> None:
    rows = [[1, 2, 3]] * 1000 + [[1, "2", 3]] + [[1, 2, 3]] * 1000 + [[None, True, "a"]] * 8

    error = told(PLAIN, *rows)

    assert [(p.row, p.feature) for p in error.details[:2]] == [(1000, "height"), (2001, "width")]
    assert (len(error.details), error.total) == (20, 25)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([1.5, 1e100, -1e100, 1.1e100, -1e308, 2**64 - 1, "own", "rent", "no", "", "1"]),
    st.lists(st.integers(), max_size=2),
)
NAMES = st.sampled_from([*MIXED.names, *PLAIN.names, "another"])
ANY_ROWS = st.lists(
    st.one_of(VALUES, st.lists(VALUES, max_size=5), st.dictionaries(NAMES, VALUES)), min_size=1
)


@pytest.mark.parametrize("schema", [PLAIN, MIXED, SINGLE])
@given(rows=ANY_ROWS)
def test_what_is_counted_by_columns_is_what_is_found_value_by_value(
    schema: Schema, rows: list[Any]
) -> None:
    assert count_problems(schema, rows) == sum(found_in(schema, row) for row in rows)


def found_in(schema: Schema, row: Any) -> int:
    """The problems of a row, counted one by one."""
    if isinstance(row, dict):
        features = {feature.name: feature for feature in schema.features}
        others = len(set(row) - set(features)) + len(set(features) - set(row))
        return others + sum(
            is_wrong(features[name], row[name]) for name in set(row) & set(features)
        )
    if not isinstance(row, list):
        return is_wrong(schema.features[0], row) if len(schema.features) == 1 else 1
    values = sum(map(is_wrong, schema.features, row))
    return values + (len(row) != len(schema.features))


def is_wrong(feature: Feature, value: Any) -> bool:
    if value is None:
        return not feature.missing
    if feature.kind == "number":
        return type(value) not in (int, float) or abs(value) > 1e100
    return type(value) is not bool if feature.kind == "boolean" else value not in feature.categories


def test_exactly_20_problems_are_all_told() -> None:
    error = told(PLAIN, *[["a", 2, 3]] * 20)

    assert error.message == "20 problems in 20 rows: see details"
    assert len(error.details) == 20


def test_unknown_category_is_answered_with_the_known_ones_and_the_nearest() -> None:
    error = told(MIXED, [30, "owned", None, True])

    assert error.message == (
        "row 0, 'housing': is not a known category: did you mean 'own'? "
        "the known ones are 'free', 'own', 'rent'"
    )


@pytest.mark.parametrize("value", ["OWN", " own", "own\u0000", "", "x" * 200, "\U0001f600"])
def test_category_is_compared_exactly(value: str) -> None:
    assert "the known ones are 'free', 'own', 'rent'" in told(MIXED, [3, value, None, True]).message


def test_text_is_asked_for_where_a_category_belongs() -> None:
    assert told(MIXED, [30, 1, None, True]).message.endswith(
        "must be text, one of 'free', 'own', 'rent'"
    )


@pytest.mark.parametrize(
    ("feature", "value", "problem"),
    [
        ("age", "30", "must be a number, without quotes"),
        ("age", "thirty", "must be a number or null"),
        ("age", "nan", "must be a number or null"),
        ("age", True, "must be a number or null"),
        ("age", 1e200, "must be between -1e+100 and 1e+100"),
        ("housing", None, "must not be null: training saw no missing value of it"),
        ("member", 1, "must be true or false"),
        ("member", "true", "must be true or false"),
        ("member", None, "must not be null: training saw no missing value of it"),
    ],
)
def test_remedy_fits_the_feature_and_what_was_sent(feature: str, value: Any, problem: str) -> None:
    row = {"age": 30, "housing": "own", "job": None, "member": True, feature: value}

    assert told(MIXED, row).details == (Problem(0, feature, problem, value),)


def test_missing_name_says_whether_null_will_do() -> None:
    error = told(MIXED, {"housing": "own", "job": None})

    assert [(p.feature, p.problem) for p in error.details] == [
        ("age", "is missing: send null if it is not known"),
        ("member", "is missing: it is required"),
    ]


def test_unknown_name_is_answered_with_the_nearest_of_those_that_lack() -> None:
    error = told(PLAIN, {"widht": 1, "height": 2, "depth": 3})

    assert error.details[0] == Problem(
        0, "widht", "is not a feature of this model: did you mean 'width'?", 1
    )


def test_name_like_no_other_is_answered_with_the_known_ones() -> None:
    error = told(PLAIN, {"width": 1, "height": 2, "depth": 3, "zzz": 4})

    assert error.message.endswith("the known ones are 'width', 'height', 'depth'")


def test_short_row_names_what_it_lacks_first_and_long_row_what_is_last() -> None:
    assert told(PLAIN, [1]).details == (
        Problem(0, "height", "the row has 1 of 3 values: this is the first that it lacks", 1),
    )
    assert told(PLAIN, [1, 2, 3, 4]).details == (
        Problem(0, None, "the row has 4 values, the model takes 3, the last is 'depth'", 4),
    )


@pytest.mark.parametrize("row", [None, 1, "1,2,3", True, 1.5])
def test_what_is_no_row_is_told_what_a_row_is(row: Any) -> None:
    expected = "a row must be a list of 3 values or an object by feature name"

    assert told(PLAIN, row).details == (Problem(0, None, expected, row),)


def test_what_was_got_is_shown_short() -> None:
    assert shortened("a" * 80) == "a" * 80
    assert shortened("a" * 1_000_000) == "a" * 80 + "... (1000000 characters)"
    assert shortened([1, 2, 3]) == "a list of 3"
    assert shortened({"a": 1}) == "an object with 1 key"
    assert shortened({"a": 1, "b": 2}) == "an object with 2 keys"
    assert shortened(1.5) == 1.5


def test_names_are_listed_up_to_a_dozen() -> None:
    assert enumerated(["a", "b"]) == "'a', 'b'"
    assert enumerated([str(n) for n in range(15)]).endswith("'10', '11' and 3 more")


def test_nearest_looks_only_at_names_of_a_reasonable_length() -> None:
    assert nearest("heigth", ["width", "height"]) == "did you mean 'height'?"
    assert nearest("a" * 100_000, ["width"]) == "the known ones are 'width'"
    assert "did you mean" not in nearest("width", ["w" * 100_000])


COSTLY = {
    "as-many-unknown-names-as-fit": (PLAIN, [{f"name{n}": n for n in range(300_000)}]),
    "a-typo-in-each-row": (PLAIN, [{"widht": 1, "height": 2, "depth": 3}] * 100_000),
    "a-million-wrong-values": (PLAIN, [["1", "2", "3"]] * 100_000),
    "an-unknown-category-in-each-row": (
        Schema(
            (Feature("c", "category", categories=tuple(f"kind {n}" for n in range(20_000))),),
            TARGET,
        ),
        [[f"kinds {n}"] for n in range(100_000)],
    ),
    "an-unknown-name-among-many": (
        Schema(tuple(Feature(f"feature {n}", "number") for n in range(20_000)), TARGET),
        [{f"features {n}": 1 for n in range(20_000)}] * 3,
    ),
    "long-names": (
        Schema(tuple(Feature("f" * 5000 + str(n), "number") for n in range(1000)), TARGET),
        [{"f" * 79: 1}] * 100,
    ),
}


@pytest.mark.timeout(10)  # quadratic would take minutes
@pytest.mark.parametrize(("schema", "rows"), COSTLY.values(), ids=COSTLY)
def test_much_that_is_wrong_is_told_in_little(schema: Schema, rows: list[Any]) -> None:
    error = diagnose(schema, rows)

    assert len(error.details) == 20
    assert error.total >= 100_000 or len(rows) <= 100
    assert len(encode_error(error)) < 200_000


def test_whatever_was_sent_can_be_shown_as_json() -> None:
    odd = ["\u0000", "\ud7ff", "\U0010ffff", "<b>", 2**64 - 1, -0.0, 1e308, [[[]]], {"": {}}, True]

    error = told(MIXED, *[[value, value, value, value] for value in odd])

    assert len(json.loads(encode_error(error))["details"]) == 20
