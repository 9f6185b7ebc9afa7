"""From a table to features: types, columns left out with their reasons, and refusals."""

import datetime
import decimal
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from app.checking import to_matrix
from app.errors import DataError
from app.training.dataset import Dataset, diabetes
from app.training.features import make_dataset
from app.training.tables import Table

ROWS = 12
Y = [float(value * value % 7) for value in range(ROWS)]
FLOATS = [value / 7 for value in range(ROWS)]
WORDS = ["b", "a", "b"] * 4
SPEEDS: dict[str, Any] = {"speed [rpm]": FLOATS, "kind": WORDS, "y": [None, *Y[1:]]}


def _dataset(
    target: str = "y", drop: Sequence[str] = (), keep: Sequence[str] = (), **columns: Any
) -> Dataset:
    if "y" not in columns:
        columns["y"] = (Y * 20)[: len(next(iter(columns.values())))]
    table = pa.table(columns)
    arrays = dict(zip(table.column_names, table.columns, strict=True))
    return make_dataset(Table("t.csv", "00", arrays), target, drop, keep)


def _reason(name: str, values: Any, **options: Any) -> str | None:
    """Why a column of these values is left out; None if it is a feature."""
    found = _dataset(**{name: values, "other": [v / 7 for v in range(len(values))]}, **options)
    return next((left.reason for left in found.left_out if left.column == name), None)


def test_numbers_booleans_and_categories_become_the_matrix_that_requests_become() -> None:
    found = _dataset(
        number=[None, *FLOATS[1:]],
        member=[True, False, None] * 4,
        housing=[None, "own", "rent"] * 4,
    )

    rows = [list(found.request_row(index)) for index in range(ROWS)]
    assert rows[0] == [None, True, None]
    assert rows[1] == [FLOATS[1], False, "own"]
    np.testing.assert_array_equal(to_matrix(found.schema, rows), found.x)


def test_the_schema_says_range_categories_unit_and_whether_missing_was_seen() -> None:
    found = _dataset(**SPEEDS)

    speed, kind = found.schema.features
    assert (speed.unit, speed.minimum, speed.maximum, speed.missing) == (
        "rpm",
        FLOATS[1],
        FLOATS[-1],
        False,
    )
    assert (kind.categories, kind.missing) == (("a", "b"), False)
    assert found.rows_left_out == 1


def test_whole_numbers_are_sent_as_such_and_others_with_their_fraction() -> None:
    assert _dataset(whole=[3.0, 1.0, 2.0] * 4, part=FLOATS).request_row(1) == (1, FLOATS[1])


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, 2, 3] * 4, pa.int8()),
        pa.array([1, 2, 3] * 4, pa.uint64()),
        pa.array(np.array([1, 2, 3] * 4, np.float16)),
        pa.array([1, 2, 3] * 4, pa.float32()),
        pa.array([decimal.Decimal(1), decimal.Decimal(2), decimal.Decimal(3)] * 4),
        pa.array([1, 2, 3] * 4).dictionary_encode(),
        pa.array([datetime.timedelta(seconds=value) for value in (1, 2, 3)] * 4),
        pa.chunked_array([[1, 2], [3], [1, 2, 3] * 3]),
    ],
    ids=lambda values: str(values.type),
)
def test_every_type_of_number_is_a_number(values: Any) -> None:
    found = _dataset(a=values)

    assert found.schema.features[0].kind == "number"
    np.testing.assert_array_equal(found.x[:, 0], [1, 2, 3] * 4)


@pytest.mark.parametrize("kind", [pa.decimal128(9, 2), pa.decimal256(40, 2)], ids=str)
def test_decimals_are_the_numbers_that_a_client_would_write(kind: Any) -> None:
    written = [None, *(f"{hundredths / 100:.2f}" for hundredths in range(1, 240))]

    found = _dataset(a=pa.array([text and decimal.Decimal(text) for text in written], kind))

    np.testing.assert_array_equal(found.x[:, 0], [float(text or "nan") for text in written])


@pytest.mark.parametrize(
    "kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_every_type_of_text_is_a_category(kind: Any) -> None:
    assert _dataset(a=pa.array(WORDS, kind)).schema.features[0].categories == ("a", "b")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([7.0] * ROWS, "the same in every row"),
        ([True] * ROWS, "the same in every row"),
        (["same"] * ROWS, "the same in every row"),
        ([7.0, None] * 6, "the same in every row where it is known"),
        ([None] * ROWS, "it holds no value"),
        ([math.nan] * ROWS, "it holds no value"),
        ([f"text {row}" for row in range(ROWS)], "a different text in every row"),
        ([f"text {row % 7}" for row in range(ROWS)], "7 different texts in 12 rows"),
        ([f"text {row % 101}" for row in range(240)], "101 different texts, more than 100"),
        (list(range(5, ROWS + 5)), "counting without a gap"),
        ([row * row for row in range(100)], "a different whole number in every row"),
        ([datetime.date(2024, 1, 1 + row % 5) for row in range(ROWS)], "dates are not used"),
        ([datetime.time(row % 5) for row in range(ROWS)], "dates are not used"),
        ([[1], [2], [3]] * 4, "values of type list"),
        ([b"x", b"y"] * 6, "values of type binary"),
    ],
)
def test_a_column_that_cannot_help_is_left_out_with_the_reason(values: Any, said: str) -> None:
    reason = _reason("a", values)

    assert reason is not None
    assert said in reason


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("a", FLOATS),
        ("a", [row * row for row in range(99)]),
        ("a", ["known", None] * 6),
        ("a", [True, None] * 6),
        ("a", [f"text {row % 100}" for row in range(200)]),
        ("id", [1, 2] * 6),
    ],
)
def test_a_column_that_can_help_is_a_feature(name: str, values: Any) -> None:
    assert _reason(name, values) is None


@pytest.mark.parametrize(
    "name",
    ["id", "ID", "UDI", "customer_id", "Customer ID", "customerId", "Unnamed: 0", "row", "id_nr"],
)
def test_distinct_whole_numbers_are_identifiers_by_their_name(name: str) -> None:
    values = [row * row for row in range(ROWS)]

    assert "named like an identifier" in str(_reason(name, values))


@pytest.mark.parametrize(
    "values",
    [
        [row * row + 2**53 for row in range(100)],
        [row + 2**60 for row in range(100)],  # float64 has only one in 256 of these
        [decimal.Decimal(row + 10**37) for row in range(100)],
    ],
    ids=["beyond what is exact", "rounded to the same", "decimals of whole numbers"],
)
def test_identifiers_may_have_64_bits_and_more(values: list[Any]) -> None:
    assert "a different whole number in every row" in str(_reason("a", values))


@pytest.mark.parametrize("unit", [2e30, 2.0**60])
def test_numbers_beyond_what_is_exact_that_are_no_integers_are_measured_ones(unit: float) -> None:
    assert _reason("mass [kg]", [unit * (row + 1) / 7 for row in range(100)]) is None


def test_whole_numbers_that_are_not_exact_are_sent_as_float64_has_them() -> None:
    found = _dataset(a=[1e98 * row for row in range(ROWS)]).request_row(1)

    assert found == (1e98,)
    assert type(found[0]) is float


@pytest.mark.parametrize("name", ["grid", "humid", "price index", "key figure", "rows"])
def test_distinct_whole_numbers_of_another_name_are_not(name: str) -> None:
    assert _reason(name, [row * row for row in range(ROWS)]) is None


@pytest.mark.parametrize(
    "date",
    [
        "2024-03-{:02}",
        "2024/3/{}",
        "2024-03-{:02}T10:00:00Z",
        "2024-03-{:02} 10:00:00.123456+01:00",
        "{:02}.03.2024",
        "3/{}/24",
        "{} Mar 2024",
        "March {}, 2024",
        "10:{:02}",
        "10:{:02}:59 pm",
    ],
)
def test_dates_are_known_by_their_writing(date: str) -> None:
    assert "dates" in str(_reason("a", [date.format(1 + row % 5) for row in range(ROWS)]))


@pytest.mark.parametrize("text", ["version 1.{}", "10-1{}", "1.5{} m", "class {}", "2024 Q{}"])
def test_text_with_digits_is_no_date(text: str) -> None:
    assert _reason("a", [text.format(1 + row % 5) for row in range(ROWS)]) is None


def test_keep_overrides_the_reasons() -> None:
    dates = ["2024-03-01", "2024-03-02"] * 6

    found = _dataset(id=list(range(ROWS)), day=dates, same=[1] * ROWS, keep=["id", "day", "same"])

    assert found.schema.names == ("id", "day", "same")
    assert found.schema.features[1].categories == ("2024-03-01", "2024-03-02")
    assert not found.left_out


def test_drop_is_listed_among_what_is_left_out_in_the_table_s_order() -> None:
    found = _dataset(b=[1] * ROWS, a=FLOATS, c=WORDS, drop=["c"])

    assert [(left.column, left.reason) for left in found.left_out] == [
        ("b", "it is the same in every row"),
        ("c", "as asked by --drop"),
    ]


def test_distinct_whole_numbers_stay_if_there_is_nothing_else() -> None:
    assert _dataset(year=list(range(2000, 2000 + ROWS)), same=[1] * ROWS).schema.names == ("year",)


def test_rows_without_a_target_count_for_nothing() -> None:
    found = _dataset(a=[*FLOATS, 99.0], kind=[*WORDS, "only here"], y=[*Y, None])

    assert (len(found.x), len(found.y), found.rows_left_out) == (ROWS, ROWS, 1)
    assert found.schema.features[0].maximum == FLOATS[-1]
    assert found.schema.features[1].categories == ("a", "b")


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        ({"price": FLOATS}, {"target": "prices"}, "did you mean 'price'"),
        ({"a": FLOATS}, {"target": None}, "of 'a', 'y'"),
        ({"a": FLOATS, "y": WORDS}, {}, "'y' is not numeric, it holds text: 12 of 12 values"),
        ({"a": FLOATS, "y": [True, False] * 6}, {}, "it holds true and false"),
        ({"a": FLOATS, "y": ["2024-01-01", "2024-01-02"] * 6}, {}, "it holds dates"),
        ({"a": FLOATS, "y": [None] * ROWS}, {}, "'y' has no value in any row"),
        ({"a": FLOATS, "y": [b"1", b"2"] * 6}, {}, "it holds values of type binary: name"),
        ({"a": FLOATS, "y": [[1], [2]] * 6}, {}, "it holds values of type list<"),
        ({"a": FLOATS, "y": [{"b": 1}] * ROWS}, {}, "it holds values of type struct<"),
        ({"a": FLOATS, "y": [5] * ROWS}, {}, "'y' is 5 in every row"),
        ({"a": FLOATS, "y": [math.inf, *Y[1:]]}, {}, "row 1 of column 'y' is inf"),
        ({"a": [*FLOATS[1:], -1e101]}, {}, "row 12 of column 'a' is -1e\\+101"),
        (
            {"a": [math.inf, 1.0, *FLOATS[1:], -math.inf], "y": [None, None, *Y]},
            {},
            "row 14 of column 'a' is -inf",
        ),
        ({"a": FLOATS}, {"drop": ["b"]}, "--drop 'b' is no column"),
        ({"a": FLOATS}, {"keep": ["b"]}, "--keep 'b' is no column"),
        ({"a": FLOATS}, {"drop": ["y"]}, "take it out of --drop"),
        ({"a": FLOATS}, {"drop": ["a"]}, "no column is left"),
        ({"a": FLOATS}, {"drop": ["a"], "keep": ["a"]}, "in --drop and in --keep"),
        ({"a": [None] * ROWS}, {"keep": ["a"]}, "--keep cannot keep 'a': it holds no value"),
        ({"a": [1] * ROWS}, {}, "no column is left to predict from: 'a'"),
        ({"a": [1.5, 2.0, 7.0]}, {}, "3 rows with a target are too few for 2 folds"),
        (
            dict.fromkeys("abcdefghijklm", FLOATS),
            {},
            "12 rows are too few for 13 features, which make 13 columns",
        ),
    ],
)
def test_what_cannot_be_trained_on_is_refused_with_a_remedy(
    columns: dict[str, Any], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        _dataset(**columns, **options)


def test_the_diabetes_data_are_442_rows_of_10_numbers_with_a_reproducible_digest() -> None:
    found = diabetes()

    assert found.x.shape == (442, 10)
    assert found.schema.plain
    assert found.schema.target.name == "disease_progression"
    assert found.sha256 == diabetes().sha256
