"""What train.py refuses: exit code 2, one line that names place and remedy, nothing written."""

import gzip
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

import train
from tests.training.retraining import Run, runner
from tests.training.tables import HOUSES, HOUSES_HEADER

WIDE = [f"f{place}" for place in range(23)]
WIDE_LINES = [
    ",".join(str((row + 1) * (place + 2) % 97 + 0.5) for place in range(24)) for row in range(22)
]
"""Fewer rows than features, all different, and numbers enough to tell them apart."""


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A models folder that does not exist yet."""
    return tmp_path / "models"


@pytest.fixture
def run(models: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(models, capsys)


REFUSED: dict[str, tuple[str | bytes | None, list[str], list[str]]] = {
    "missing file": (None, [], ["there is no such file", "check the path"]),
    "empty file": ("", [], ["is empty"]),
    "header only": (HOUSES_HEADER, [], ["no rows"]),
    "no such target": (HOUSES, ["--target", "price"], ["'price'", "did you mean 'price [EUR]'"]),
    "no target": (HOUSES, ["--target"], ["--target"]),
    "text target": (HOUSES, ["--target", "city"], ["'city' is not numeric"]),
    "boolean target": (HOUSES, ["--target", "new"], ["'new' is not numeric"]),
    "constant target": (
        "a,y\n1,5\n2,5\n3,5\n4,5\n",
        ["--target", "y", "--folds", "2"],
        ["'y' is 5 in every row"],
    ),
    "target whose values float64 cannot tell apart": (
        "a,y\n1.5,9007199254740996\n2.5,9007199254740997\n3,9007199254740996\n4,9007199254740997\n",
        ["--target", "y", "--folds", "2"],
        ["'y' is 9.0072e+15 in every row, rounded to float64"],
    ),
    "all-missing target": ("a,y\n1,\n2,\n", ["--target", "y"], ["'y' has no value"]),
    "fewer rows than folds": (HOUSES, ["--folds", "41"], ["40 rows", "--folds 20"]),
    "fewer rows than columns": (
        "a,b,c,d,e,y\n1.5,2,2,4,1,1\n2.5,1,3,3,7,2\n3.5,5,2,4,5,9\n9.5,2,8,4,5,1\n",
        ["--target", "y", "--folds", "2"],
        ["4 rows are too few for 5 features", "--drop"],
    ),
    "fewer different rows than folds need": (
        "\n".join(["a,y", *[f"{row}.5,{row}.25" for row in range(24)] * 3, ""]),
        ["--target", "y", "--folds", "20"],
        ["24 different rows with a target are too few for 20 folds of 2", "--folds 12"],
    ),
    "fewer different rows than columns": (
        "\n".join([",".join([*WIDE, "y"]), *WIDE_LINES * 2, ""]),
        ["--target", "y", "--folds", "2"],
        ["22 different rows are too few for 23 features", "--drop"],
    ),
    "duplicate columns": (
        HOUSES.replace("new", "city"),
        [],
        ["two columns named 'city'", "rename"],
    ),
    "empty name": (HOUSES.replace("city", ""), [], ["column 2 has no name"]),
    "not UTF-8": (
        HOUSES.encode().replace(b"B,", b"\xe9,", 1),
        [],
        ["not UTF-8", "line 3", "save it as UTF-8"],
    ),
    "ragged": (HOUSES + "1,2\n", [], ["line 42 has 2 values"]),
    "open quote": (HOUSES + '1,"2,true,3\n', [], ["line 42", "quote"]),
    "infinite": (HOUSES + "inf,A,true,3\n", [], ["row 41 of column 'size [m2]' is inf"]),
    "wrong name": (HOUSES, ["--name", "../x"], ["'../x'", "a to z"]),
    "one fold": (HOUSES, ["--folds", "1"], ["--folds is 1", "2 to"]),
    "folds no number": (HOUSES, ["--folds", "many"], ["--folds", "many"]),
    "seed too large": (HOUSES, ["--seed", str(2**32)], ["--seed"]),
    "drop unknown": (HOUSES, ["--drop", "cities"], ["--drop 'cities'", "did you mean 'city'"]),
    "keep unknown": (HOUSES, ["--keep", "cities"], ["--keep 'cities'", "did you mean 'city'"]),
    "unknown option": (HOUSES, ["--epochs", "3"], ["--epochs", "--help"]),
    "newline in an option": (HOUSES, ["--target", "a\nb"], ["'a\\nb'"]),
}


@pytest.mark.parametrize(("content", "arguments", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_arguments_and_data_are_refused_in_one_line_with_nothing_written(
    models: Path,
    run: Run,
    tmp_path: Path,
    content: str | bytes | None,
    arguments: list[str],
    said: list[str],
) -> None:
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    code, out, err = run("--data", path, "--target", "price [EUR]", *arguments)

    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("train.py: ")
    for words in said:
        assert words in err
    assert not models.exists()


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("t.xlsx", b"PK", "must end in .csv, .csv.gz, .parquet"),
        ("t.csv.gz", b"\x1f\x8bnot gzip", "no gzip file"),
        ("t.csv.gz", gzip.compress(HOUSES.encode())[:-5], "no gzip file"),
        ("t.parquet", b"PAR1 not Parquet PAR1", "no Parquet file"),
        ("t.parquet", HOUSES.encode(), "no Parquet file"),
        ("default.csv", HOUSES.encode(), "choose a name with --name"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(
    models: Path, run: Run, tmp_path: Path, file: str, content: bytes, said: str
) -> None:
    (tmp_path / file).write_bytes(content)

    code, _, err = run("--data", tmp_path / file, "--target", "price [EUR]")

    assert (code, err.count("\n")) == (2, 1)
    assert file in err
    assert said in err
    assert not models.exists()


@pytest.mark.parametrize(
    ("file", "reader", "function"),
    [("t.csv", csv, "read_csv"), ("t.parquet", parquet.ParquetFile, "read")],
    ids=["CSV", "Parquet"],
)
def test_where_memory_is_short_the_file_is_not_said_to_be_faulty(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    reader: object,
    function: str,
) -> None:
    table = pa.table({"a": [1.5, 2.5, 3.0, 4.0], "y": [1.0, 3.0, 2.0, 5.0]})
    csv.write_csv(table, tmp_path / "t.csv")
    parquet.write_table(table, tmp_path / "t.parquet")

    def starved(*_: Any, **__: Any) -> None:
        raise pa.ArrowMemoryError("malloc failed")

    monkeypatch.setattr(reader, function, starved)
    code, _, err = run("--data", tmp_path / file, "--target", "y", "--folds", "2")

    assert (code, err) == (
        2,
        "train.py: the table does not fit in memory: train on fewer rows or columns\n",
    )


def test_a_folder_and_a_pipe_are_refused_without_waiting_for_them(run: Run, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")

    for name in ("folder.csv", "pipe.csv"):
        code, _, err = run("--data", tmp_path / name, "--target", "y")
        assert (code, err.count("\n")) == (2, 1)
        assert "give the path of a file" in err


@pytest.mark.parametrize("option", ["--data", "--models"])
def test_an_empty_path_is_not_taken_for_the_current_folder(run: Run, option: str) -> None:
    code, _, err = run(option, "")

    assert (code, err) == (2, f"train.py: {option} is empty: give a path\n")


@pytest.mark.parametrize("folds", ["222", "442", "1000"])
def test_the_built_in_data_too_have_two_rows_for_each_fold(
    models: Path, run: Run, folds: str
) -> None:
    code, out, err = run("--folds", folds)

    assert (code, out) == (2, "")
    assert err == (
        f"train.py: built-in data: 442 rows with a target are too few for {folds} folds of 2 or "
        "more: use --folds 221 or add rows\n"
    )
    assert not models.exists()


@pytest.mark.parametrize("option", ["--target", "--drop", "--keep"])
def test_options_about_a_table_need_a_table(run: Run, option: str) -> None:
    code, _, err = run(option, "y")

    assert code == 2
    assert err == f"train.py: {option} needs --data FILE: the table it is a column of\n"


@pytest.mark.parametrize("place", ["a file", "below a file"])
def test_a_models_folder_that_cannot_be_written_is_found_out_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    file = tmp_path / "file"
    file.write_text("mine")

    code = train.main(["--models", str(file if place == "a file" else file / "models")])

    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert str(file) in err
    assert file.read_text() == "mine"
