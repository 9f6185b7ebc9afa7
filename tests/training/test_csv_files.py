"""CSV files: what is accepted and how it is typed, and faults that are named with their line."""

import csv
import math
from typing import Any

import pytest

from app.errors import DataError
from app.training import csv_files
from app.training.csv_files import parse_csv

TABLE = b"a,b\n1,x\n2.5,y\n"
EXPECTED = {"a": [1.0, 2.5], "b": ["x", "y"]}


def _parse(data: bytes) -> dict[str, list[Any]]:
    return {name: column.to_pylist() for name, column in parse_csv(data)[0].items()}


def _typed(*values: str) -> list[Any]:
    """One column of these values as it is understood, beside a column that holds no surprise."""
    rows = "".join(f"{value},1\n" for value in values)
    return _parse(f"a,z\n{rows}".encode())["a"]


@pytest.mark.parametrize(
    "data",
    [
        TABLE,
        b"\xef\xbb\xbf" + TABLE,
        TABLE.replace(b"\n", b"\r\n"),
        TABLE.replace(b"\n", b"\r"),
        TABLE.rstrip(),
        b"\n\n" + TABLE.replace(b"\n", b"\n\n"),
        TABLE.replace(b",", b" , "),
        TABLE.replace(b",", b";"),
        TABLE.replace(b",", b";").replace(b".", b","),
        TABLE.replace(b",", b"\t"),
        TABLE.replace(b",", b"|"),
        b'"a","b"\n"1","x"\n"2.5","y"\n',
    ],
    ids=[
        "plain",
        "BOM",
        "CRLF",
        "CR",
        "no newline at the end",
        "empty lines",
        "spaces",
        "semicolons",
        "semicolons and decimal commas",
        "tabs",
        "bars",
        "quotes everywhere",
    ],
)
def test_the_same_table_is_read_from_every_common_way_to_write_it(data: bytes) -> None:
    assert _parse(data) == EXPECTED


def test_a_quoted_value_may_hold_delimiters_quotes_and_newlines() -> None:
    data = b'a,"b,\nc"\n"x, ""y""\nz",1\n"",2\n'

    assert _parse(data) == {"a": ['x, "y"\nz', None], "b,\nc": [1.0, 2.0]}


def test_a_value_and_a_name_may_be_as_long_as_they_like() -> None:
    name, value = "n" * 200_000, "x, " * 100_000
    before = csv.field_size_limit()

    assert _parse(f'a,"{name}"\n1,"{value}"\n2,y\n'.encode()) == {
        "a": [1.0, 2.0],
        name: [value.strip(), "y"],
    }
    assert csv.field_size_limit() == before


def test_a_row_that_is_longer_than_what_is_split_at_a_time_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(csv_files, "_BLOCK", 1 << 20)

    with pytest.raises(DataError, match="no row is longer than 1 MiB"):
        parse_csv(b'a,b\n1,"' + b"x" * (3 << 20) + b'"\n2,y\n')


def test_a_quote_inside_an_unquoted_value_is_a_letter() -> None:
    assert _typed('5" pipe', '6" pipe') == ['5" pipe', '6" pipe']


@pytest.mark.parametrize(
    "word",
    ["", "NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "null", "NULL", "?", "none", "None", "-"],
)
def test_in_a_column_of_numbers_a_missing_value_has_many_spellings(word: str) -> None:
    assert _typed("1", word, "-2e3") == [1.0, None, -2000.0]


@pytest.mark.parametrize("word", ["", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "?"])
def test_in_a_column_of_words_the_usual_spellings_are_missing(word: str) -> None:
    assert _typed("own", word, "rent") == ["own", None, "rent"]


@pytest.mark.parametrize("word", ["none", "None", "-", "na"])
def test_in_a_column_of_words_none_is_a_category_like_any_other(word: str) -> None:
    assert _typed("guarantor", word) == ["guarantor", word]


def test_true_and_false_in_any_case_make_booleans_and_other_pairs_do_not() -> None:
    assert _typed("true", "FALSE", "", "False") == [True, False, None, False]
    assert _typed("yes", "no") == ["yes", "no"]
    assert _typed("1", "0") == [1.0, 0.0]
    assert _typed("true", "1") == ["true", "1"]


def test_integers_that_float64_would_round_are_kept_as_they_are() -> None:
    assert _typed("1152921504606846977", "", "-3") == [2**60 + 1, None, -3]
    assert _typed("1152921504606846977", "0.5") == [2.0**60, 0.5]
    assert _typed("99999999999999999999", "", "-1") == [10**20 - 1, None, -1]
    assert _typed("99999999999999999999", "1e3") == [1e20, 1000.0]
    assert _typed("9" * 39, "1") == [1e39, 1.0]


@pytest.mark.parametrize("text", ["0x10", "1_000", "1,5", "12abc", "٣", "1.2.3"])
def test_what_only_resembles_a_number_is_text(text: str) -> None:
    assert _typed(f'"{text}"', "2") == [text, "2"]


def test_infinity_is_read_as_such_so_that_it_can_be_refused_with_its_row() -> None:
    assert _typed("inf", "-Infinity", "1e999") == [math.inf, -math.inf, math.inf]


def test_how_an_unusual_file_was_read_is_said() -> None:
    assert parse_csv(b"a;b\n1,5;2\n")[1] == (
        "columns are separated by semicolons",
        "numbers are written with a decimal comma",
    )


@pytest.mark.parametrize("codes", [["01234", "98765"], ["5", "-007"], ["3.5", "00.5"]])
def test_numbers_that_begin_with_zeros_are_told_of_as_they_may_be_codes(codes: list[str]) -> None:
    lines = ["zip,b", *(f"{code},{place}" for place, code in enumerate(codes))]

    columns, notes = parse_csv("\n".join(lines).encode())

    assert columns["zip"].to_pylist() == [float(code) for code in codes]
    (said,) = notes
    assert said.startswith("'zip' is read as numbers, without the zeros that some begin with")


def test_other_zeros_are_nothing_to_tell_of() -> None:
    data = b"a,b,c\n0,0.05,01x\n-0,-0.5,02x\n10,.0,\n"

    _, notes = parse_csv(data)

    assert notes == ()


def test_a_comma_in_a_name_does_not_part_columns_that_semicolons_part() -> None:
    columns, _ = parse_csv(b"power, mean;load\n0,5;7\n1,25;8\n")

    assert {name: column.to_pylist() for name, column in columns.items()} == {
        "power, mean": [0.5, 1.25],
        "load": [7.0, 8.0],
    }


def test_decimal_commas_beside_decimal_points_are_refused_because_1_234_could_be_either() -> None:
    with pytest.raises(DataError, match="commas in 'a' and decimal points in 'b'"):
        parse_csv(b"a;b\n1,5;1.234\n")


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_commas_that_group_thousands_are_no_decimal_commas(delimiter: str) -> None:
    lines = ["mileage|price", "12,500|9", "", "567|8", "|7", "-1,234|6", ""]

    with pytest.raises(DataError, match=r"in 'mileage' seem to group thousands, '12,500' .* '567'"):
        parse_csv("\n".join(lines).replace("|", delimiter).encode())


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (["1,234", "567,000"], ["1", "2"]),
        (["0,234", "567"], ["1", "2"]),
        (["1,25", "567"], ["1", "2"]),
        (["1,234", "5670"], ["1", "2"]),
        (["1,234", "567"], ["0,5", "2"]),
        (["1234,567", "8"], ["1", "2"]),
    ],
    ids=["three", "below one", "two", "not grouped", "plain in another", "four before"],
)
def test_decimal_commas_that_could_be_nothing_else_are_read(a: list[str], b: list[str]) -> None:
    columns, notes = parse_csv("\n".join(["a;b", *map(";".join, zip(a, b, strict=True))]).encode())

    assert columns["a"].to_pylist() == [float(value.replace(",", ".")) for value in a]
    assert notes[-1] == "numbers are written with a decimal comma"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"  \n\n", "is empty"),
        (b"a,b\n", "has a header and no rows"),
        (b"a,b\n\n  \n", "has a header and no rows"),
        (b"a,a\n1,2\n", "two columns named 'a'"),
        (b"a,,b\n1,2,3\n", "column 2 has no name"),
        (b",\n1,2\n", "no column names"),
        (b"a b\n1 2\n", "one column only, 'a b'"),
        (b"a,b\n1,2\n3,\xe9\n", "is not UTF-8: byte 0xE9 in line 3"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16 text"),
        (b"a,b\n1,2\n\0,3\n", "a NUL byte in line 3"),
        (b"PK\x03\x04rest", "a ZIP or Excel file"),
        (b"PAR1rest", "a Parquet file"),
        (b"a,b\n1,2\n3\n", "line 3 has 1 value, the header has 2 names"),
        (b"a,b\n1,2\n\n3,4,5\n", "line 4 has 3 values, the header has 2 names"),
        (b'a,b\n"x\ny",2\n3,4,5\n', "line 4 has 3 values"),
        (b'a,b\n1,2\n3,"4\n5,6\n', "row that starts in line 3 has a quote that is not closed"),
        (b'a,b\n1,"2"x\n', "row that starts in line 2"),
        (b'a,b\n1,"' + b"x" * 200_000 + b"\n", "row that starts in line 2"),
    ],
)
def test_a_faulty_file_is_refused_with_the_place_of_its_fault(data: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        parse_csv(data)


def test_a_row_that_is_faulty_far_below_the_first_block_is_still_found() -> None:
    data = b"a,b\n" + b"1,2\n" * 1_000_000 + b"1,2,3\n" + b"1,2\n" * 1_000_000

    with pytest.raises(DataError, match="line 1000002 has 3 values"):
        parse_csv(data)


def test_an_unnamed_first_column_is_read_because_pandas_and_r_write_row_numbers_so() -> None:
    assert list(_parse(b",a\n0,1\n1,2\n")) == ["", "a"]
