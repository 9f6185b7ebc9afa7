"""train.py as its users meet it: what it prints, publishes and refuses.

Most runs call `main` in this process, as starting Python and importing scikit-learn takes a second.
"""

import gzip
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from app.model import load_model
from app.store import Keeper, Reader
from tests.training.retraining import Run, runner
from tests.training.tables import HOUSE_LINES, HOUSES, HOUSES_HEADER

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
ROWS = len(HOUSE_LINES)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A models folder that does not exist yet."""
    return tmp_path / "models"


@pytest.fixture
def run(models: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(models, capsys)


@pytest.fixture
def houses(tmp_path: Path) -> Path:
    """A small table with a number, a category and a boolean."""
    path = tmp_path / "houses.csv"
    path.write_text(HOUSES, encoding="utf-8")
    return path


def _program(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "train.py"), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, **options
    )


def _manifest(models: Path, name: str, version: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((models / name / str(version) / "manifest.json").read_text())
    return found


def _measured(out: str) -> dict[str, str]:
    """The rows of the printed table by their first word."""
    rows = (line.split() for line in out.splitlines())
    return {row[0]: " ".join(row[1:]) for row in rows if row and row[0] in ("R2", "RMSE", "MAE")}


def test_without_arguments_the_diabetes_model_is_published_within_five_seconds(
    models: Path,
) -> None:
    before = os.times()
    done = _program("--models", models)
    after = os.times()

    # Processor seconds, which other work on this machine does not stretch.
    assert sum(after[2:4]) - sum(before[2:4]) < 5
    assert (done.returncode, done.stderr) == (0, "")
    assert _measured(done.stdout)["R2"].startswith("0.49")
    assert str(models / "diabetes" / "1") in done.stdout
    assert Reader(models).default() == "diabetes"


def test_the_published_model_loads_proves_itself_and_answers_as_printed(
    models: Path, run: Run
) -> None:
    _, out, _ = run()

    model = load_model(Reader(models), "diabetes", 1)
    command = shlex.split(next(line for line in out.splitlines() if line.startswith("curl")))
    row = json.loads(command[command.index("-d") + 1])["x"]
    answer = model.predict(np.array([row]))[0]
    assert f"answers about {answer:.6g}" in out
    assert "http://127.0.0.1:8000/predict" in command


def test_the_printed_command_for_a_second_model_names_it(run: Run, houses: Path) -> None:
    run()

    _, out, _ = run("--data", houses, "--target", "price [EUR]")

    assert "http://127.0.0.1:8000/models/houses/predict" in out


def test_training_again_publishes_the_next_version_and_makes_it_current(
    models: Path, run: Run
) -> None:
    run()
    run()

    assert Reader(models).versions("diabetes") == [1, 2]
    assert Reader(models).current("diabetes").version == 2


@pytest.mark.parametrize(
    "arguments", [(), ("--data", "{houses}", "--target", "price [EUR]")], ids=["built-in", "table"]
)
def test_the_same_data_and_seed_give_the_same_model_bit_by_bit(
    models: Path, run: Run, houses: Path, arguments: Sequence[str]
) -> None:
    arguments = [argument.format(houses=houses) for argument in arguments]
    name = "houses" if arguments else "diabetes"

    run(*arguments)
    _program("--models", models, *arguments, env={**os.environ, "OMP_NUM_THREADS": "4"})

    first, second = _manifest(models, name, 1), _manifest(models, name, 2)
    for changing in ("version", "created", "promotion", "sha256"):
        del first[changing], second[changing]
    assert first == second


def test_another_seed_draws_other_folds_and_golden_rows_for_the_same_parameters(
    models: Path, run: Run
) -> None:
    run()
    run("--seed", "1")

    first, second = _manifest(models, "diabetes", 1), _manifest(models, "diabetes", 2)
    assert first["linear"] == second["linear"]
    assert first["golden"] != second["golden"]
    assert first["metrics"]["r2"]["folds"] != second["metrics"]["r2"]["folds"]


def test_the_figures_carry_the_target_s_unit_and_stand_beside_the_baseline(
    run: Run, houses: Path
) -> None:
    _, out, _ = run("--data", houses, "--target", "price [EUR]", "--folds", "4")

    assert "4-fold cross-validation, over all rows ± standard deviation over the folds" in out
    assert "predicting the mean" in out
    assert "RMSE [EUR]" in out
    assert "R2 [EUR]" not in out


def test_the_manifest_says_what_was_trained_on_and_what_was_done_to_it(
    models: Path, run: Run, houses: Path
) -> None:
    lines = [f"{row},{line}" for row, line in enumerate(HOUSE_LINES)] + [f"{ROWS},1,A,true,"]
    houses.write_text("\n".join([f"id,{HOUSES_HEADER}", *lines]))

    code, out, _ = run("--data", houses, "--target", "price [EUR]", "--drop", "new", "--seed", "4")

    training = _manifest(models, "houses")["training"]
    assert code == 0
    assert {
        key: training[key] for key in ("source", "rows", "rows_left_out", "folds", "seed", "target")
    } == {
        "source": "houses.csv",
        "rows": ROWS,
        "rows_left_out": 1,
        "folds": 10,
        "seed": 4,
        "target": "price [EUR]",
    }
    assert [left["column"] for left in training["left_out"]] == ["id", "new"]
    assert training["preparation"] == [
        {"column": "city", "step": "one column for each of 3 values"}
    ]
    for said in (
        "1 row left out: ",
        "id left out: ",
        "new left out: ",
        "one column for each of 3 values: city",
    ):
        assert said in out
    assert str(houses) not in json.dumps(training)


def test_csv_its_gzip_and_parquet_of_one_table_give_one_model(
    models: Path, run: Run, tmp_path: Path
) -> None:
    values = {
        "a": [row / 7 for row in range(ROWS)],
        "b": ["x", "y"] * 20,
        "y": [row * 7 % 40 / 1 for row in range(ROWS)],
    }
    text = "\n".join(
        ["a,b,y", *(f"{a!r},{b},{y!r}" for a, b, y in zip(*values.values(), strict=True))]
    )
    (tmp_path / "one.csv").write_text(text)
    (tmp_path / "two.csv.gz").write_bytes(gzip.compress(text.encode()))
    parquet.write_table(pa.table(values), tmp_path / "three.PARQUET")

    for file in ("one.csv", "two.csv.gz", "three.PARQUET"):
        assert run("--data", tmp_path / file, "--target", "y")[0] == 0

    found = [_manifest(models, name) for name in ("one", "two", "three")]
    for key in ("schema", "golden", "metrics", "linear"):
        assert found[0][key] == found[1][key] == found[2][key]
    assert len({manifest["training"]["sha256"] for manifest in found}) == 3


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Schöne Tabelle (1).csv", "sch-ne-tabelle-1"),
        ("A_b-2.csv.gz", "a_b-2"),
        ("x" * 80 + ".csv", "x" * 63),
    ],
)
def test_the_name_is_made_of_the_file_s(
    models: Path, run: Run, tmp_path: Path, file: str, name: str
) -> None:
    data = HOUSES.encode()
    (tmp_path / file).write_bytes(gzip.compress(data) if file.endswith("gz") else data)

    run("--data", tmp_path / file, "--target", "price [EUR]")

    assert Reader(models).names() == [name]


def test_names_that_drive_a_terminal_or_are_not_latin_are_shown_and_published(
    models: Path, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        HOUSES.replace("city", "城市 \x1b[31m").replace("new", "same\x07").replace("false", "true"),
        encoding="utf-8",
    )

    done = _program(
        "--models",
        models,
        "--data",
        path,
        "--target",
        "price [EUR]",
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout
    assert _manifest(models, "t")["schema"]["features"][1]["name"] == "城市 \x1b[31m"


def test_a_refusal_comes_from_the_program_as_well_without_a_traceback(
    models: Path, tmp_path: Path
) -> None:
    done = _program("--models", models, "--data", tmp_path / "none.csv", "--target", "y")

    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == f"train.py: {tmp_path / 'none.csv'}: there is no such file: check the path\n"
    )


def test_a_reader_that_has_seen_enough_does_not_keep_the_model_from_being_published(
    models: Path,
) -> None:
    command = [sys.executable, str(ROOT / "train.py"), "--models", str(models)]

    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (0, b"")
    assert Reader(models).current("diabetes").version == 1


def _wait_for_numpy(process: subprocess.Popen[str]) -> None:
    maps = Path(f"/proc/{process.pid}/maps")
    while "numpy" not in maps.read_text():
        time.sleep(0.01)


def _wait_for_output(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline().startswith("big.parquet: ")


@pytest.mark.parametrize("wait", [_wait_for_numpy, _wait_for_output], ids=["importing", "fitting"])
def test_ctrl_c_ends_it_quietly_with_130_and_nothing_written(
    models: Path, tmp_path: Path, wait: Callable[[subprocess.Popen[str]], None]
) -> None:
    if not Path("/proc/self/maps").exists():
        pytest.skip("this system does not show what a process has loaded")
    draw = np.random.default_rng(0)
    columns = {str(place): draw.normal(size=100_000) for place in range(40)}
    parquet.write_table(pa.table(columns), tmp_path / "big.parquet")
    command = [sys.executable, str(ROOT / "train.py"), "--models", str(models)]
    command += ["--data", str(tmp_path / "big.parquet"), "--target", "0"]

    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait(process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (130, "")
    assert not models.exists()


@pytest.mark.parametrize(
    ("file", "target", "said", "r2"),
    [
        (
            "germancredit.csv",
            "credit_amount",
            ["one column for each of 10 values: purpose"],
            "0.557",
        ),
        (
            "ai4i2020.csv",
            "Torque [Nm]",
            ["UDI left out", "Product ID left out", "RMSE [Nm]"],
            "0.808",
        ),
    ],
)
def test_real_tables_train_as_they_are(
    run: Run, models: Path, file: str, target: str, said: list[str], r2: str
) -> None:
    if not (SHARED / file).exists():
        pytest.skip(f"the shared data folder beside the checkout has no {file}")

    code, out, err = run("--data", SHARED / file, "--target", target)

    assert (code, err) == (0, "")
    assert _measured(out)["R2"].startswith(r2)
    for words in said:
        assert words in out
    load_model(Reader(models), file.removesuffix(".csv"), 1)


def test_old_versions_are_let_go_where_the_settings_say_so_and_told(
    run: Run, models: Path, houses: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("--data", houses, "--target", "price [EUR]", "--folds", "2")
    for _ in range(3):
        assert "Removed" not in run(*arguments)[1]
    Keeper(models).set_label("houses", "proven", 1)
    monkeypatch.setenv("ORDINATE_KEEP_VERSIONS", "1")

    code, out, err = run(*arguments)

    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == (
        "Removed old versions, all but the 1 newest and those in use: 2"
    )
    assert Reader(models).versions("houses") == [1, 3, 4]


def test_a_model_is_published_although_old_versions_cannot_be_let_go(
    run: Run, models: Path, houses: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("--data", houses, "--target", "price [EUR]", "--folds", "2")
    run(*arguments)
    Keeper(models).set_label("houses", "proven", 1)
    (models / "houses" / "label-proven").write_bytes(b"damaged")
    monkeypatch.setenv("ORDINATE_KEEP_VERSIONS", "1")

    code, _, err = run(*arguments)

    assert code == 0
    assert err == (
        "train.py: no version of houses is removed, because it is not known which are needed: "
        "the file of its label proven is damaged\n"
    )
    assert Reader(models).current("houses").version == 2
