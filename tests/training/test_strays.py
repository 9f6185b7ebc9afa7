"""One value that is no number among a thousand that are is named with its row."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from app.errors import DataError
from app.training.csv_files import parse_csv
from app.training.dataset import Dataset
from app.training.features import make_dataset
from app.training.report import about_data
from app.training.tables import Table, read_table

NUMBERS = [f"{row * 7 % 40}.5" for row in range(40)]


def _train(tmp_path: Path, a: list[str], y: list[str], comma: str = ",") -> Dataset:
    """Read a column `a`, a good one and the target `y` from a file."""
    rows = [comma.join(row) for row in zip(a, map(str, range(40)), y, strict=True)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join([comma.join("aby"), *rows, ""]))
    return make_dataset(read_table(path), "y", keep=["b"])


def _with(stray: str, *rows: int) -> list[str]:
    """The numbers, in place of some a value that is none; rows are counted from 1."""
    return [stray if row in rows else number for row, number in enumerate(NUMBERS, start=1)]


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (
            _with("n.a.", 17),
            "text: 1 of 40 values is no number, the first is 'n.a.' in row 17: write a number",
        ),
        (_with("n.a.", 9, 30), "2 of 40 values are no numbers, the first is 'n.a.' in row 9: wr"),
        (_with("x" * 99, 3), f"the first is '{'x' * 40}...' in row 3"),
        (
            _with("low", *range(2, 41)),
            "39 of 40 values are no numbers, the first is 'low' in row 2: name a column of numbers",
        ),
        (["", "-", *_with("n.a.", 7)[2:]], "1 of 39 values is no number, the first is 'n.a.' in"),
    ],
    ids=["one", "two", "long", "most", "beside missing ones"],
)
def test_what_is_no_number_in_the_target_is_named(tmp_path: Path, y: list[str], said: str) -> None:
    with pytest.raises(DataError) as caught:
        _train(tmp_path, NUMBERS, y)

    assert str(caught.value).startswith("the target 'y' is not numeric, it holds text: ")
    assert said in str(caught.value)


def test_numbers_with_a_decimal_comma_are_numbers(tmp_path: Path) -> None:
    y = [number.replace(".", ",") for number in _with("n-a-", 17)]

    with pytest.raises(DataError, match="1 of 40 values is no number, the first is 'n-a-' in row"):
        _train(tmp_path, NUMBERS, y, comma=";")


def test_where_a_comma_is_what_is_wrong_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 of 40 values is no number, the first is '1,234' in row"):
        _train(tmp_path, NUMBERS, [f'"{value}"' for value in _with("1,234", 5)])


def test_numbers_that_a_file_stores_as_text_are_told_as_such() -> None:
    columns = {"a": pa.array(np.arange(40.0)), "y": pa.chunked_array([NUMBERS])}

    with pytest.raises(DataError, match="numbers that are written as text, such as"):
        make_dataset(Table("t.parquet", "00", columns), "y")


@pytest.mark.parametrize("word", ["n.a.", "7 a", "1e", "1.2.3", "+", "0x10", "1_0", "++1", ". 5"])
@pytest.mark.parametrize("number", ["1.", ".5", "+1", "1E+5", "-inf", "Infinity", "nan", "007"])
def test_what_is_read_as_a_number_is_no_stray_and_anything_else_is(
    tmp_path: Path, word: str, number: str
) -> None:
    assert pa.types.is_floating(parse_csv(f"a,b\n1,2\n{number},2\n".encode())[0]["a"].type)

    found = _train(tmp_path, [number, word, *NUMBERS[2:]], NUMBERS)

    (remark,) = found.remarks
    assert remark.startswith(f"'a' is taken for text: 1 of {40 - (number == 'nan')} values is no")
    assert remark.endswith(f"the first is '{word}' in row 2")


def test_a_feature_that_one_value_made_text_is_told_and_the_value_is_not_published(
    tmp_path: Path,
) -> None:
    a = [number.replace(".5", "") for number in _with("see page 9", 17, 20)]

    found = _train(tmp_path, a, ["", "", *NUMBERS[2:]])

    said = (
        "'a' is taken for text: 2 of 38 values are no numbers, the first is 'see page 9' in row 17"
    )
    assert f"  {said}" in list(about_data(found))
    assert "see page" not in str([found.notes, found.left_out])


@pytest.mark.parametrize(
    "a",
    [
        [*NUMBERS[7:], *NUMBERS[:7]],
        _with("n.a.", 1, 2, 3, 4, 5),
        ["a", "b"] * 20,
        [""] * 40,
        ["guarantor", "co-applicant", *["none"] * 38],
        ["guarantor", "12.5", *["none"] * 38],
    ],
    ids=["numbers", "many strays", "text", "missing", "a word for missing", "one number"],
)
def test_of_other_columns_nothing_is_said(tmp_path: Path, a: list[str]) -> None:
    assert _train(tmp_path, a, NUMBERS).remarks == ()


def test_where_no_column_is_left_for_one_value_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{row if row != 16 else 'x'},{row * 7 % 40}" for row in range(40)]
    path.write_text("\n".join(["a,y", *rows]))

    with pytest.raises(DataError, match="'x' in row 17"):
        make_dataset(read_table(path), "y")
