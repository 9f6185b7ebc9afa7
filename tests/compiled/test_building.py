"""Building the compiled code, and doing without it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.compiled import building
from tests.support.models import PLAIN, publish

ROOT = Path(__file__).resolve().parents[2]


def copied(folder: Path) -> Path:
    """The application without what was built, and with what Python has compiled of it by now."""
    place = folder / "copy"
    unfinished = "*.pyc.*"  # of a process that compiles the same at this moment
    ignore = shutil.ignore_patterns("*.so", unfinished)
    shutil.copytree(ROOT / "app", place / "app", ignore=ignore)
    return place


def run(place: Path, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=place,
        env=os.environ | ({} if path is None else {"PATH": path}),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_a_compiler_builds_it_once(tmp_path: Path) -> None:
    if not any(map(shutil.which, building.COMPILERS)):
        pytest.skip("no C compiler")
    place = copied(tmp_path)

    first = run(place, "-m", "app.compiled")
    (built,) = (place / "app" / "compiled").glob("rows-*.so")
    before = built.stat().st_mtime_ns
    second = run(place, "-m", "app.compiled")

    assert (first.returncode, first.stdout.strip(), first.stderr) == (0, built.name, "")
    assert (second.returncode, second.stdout) == (0, first.stdout)
    assert built.stat().st_mtime_ns == before
    assert not list(built.parent.glob(".building-*"))


def test_what_was_built_from_another_source_is_not_loaded_and_goes(tmp_path: Path) -> None:
    if not any(map(shutil.which, building.COMPILERS)):
        pytest.skip("no C compiler")
    place = copied(tmp_path)
    stale = place / "app" / "compiled" / "rows-0123456789abcdef-linux-x86_64.so"
    stale.write_bytes(b"\x7fELF rubbish")
    show = "from app.compiled.library import library; print(library())"

    assert run(place, "-c", show).stdout.strip() == "None"
    assert run(place, "-m", "app.compiled").returncode == 0
    assert not stale.exists()


def test_without_a_compiler_it_says_so_and_what_it_means(tmp_path: Path) -> None:
    done = run(copied(tmp_path), "-m", "app.compiled", path=str(tmp_path))

    assert done.returncode == 3
    assert done.stderr.startswith("app.compiled: no C compiler was found: install cc, gcc, clang")
    assert "slower" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("echo 'rows.c:1: error: no' >&2; exit 1", "failed: rows.c:1: error: no"),
        ("exit 1", "failed: it said nothing"),
        ('while [ "$1" != -o ]; do shift; done; echo x > "$2"', "cannot be loaded"),
    ],
    ids=["fails", "fails silently", "makes rubbish"],
)
def test_a_compiler_that_fails_leaves_nothing_behind(
    tmp_path: Path, program: str, says: str
) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text(f"#!/bin/sh\n{program}\n")
    compiler.chmod(0o755)
    place = copied(tmp_path)

    done = run(place, "-m", "app.compiled", str(compiler))

    assert done.returncode == 3
    assert says in done.stderr
    assert not list((place / "app" / "compiled").glob("*.so"))
    assert not list((place / "app" / "compiled").glob(".building-*"))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    place = copied(tmp_path)
    shutil.rmtree(place / "app" / "compiled" / "__pycache__", ignore_errors=True)
    script = (
        "import app.compiled.building as b, pathlib\n"
        f"b.HERE = pathlib.Path({str(tmp_path / 'absent')!r})\n"
        "b.build('/bin/true')"
    )

    done = run(place, "-c", script)

    assert "NotBuilt" in done.stderr
    assert "No such file or directory" in done.stderr


def test_a_missing_compiler_is_told(tmp_path: Path) -> None:
    done = run(copied(tmp_path), "-m", "app.compiled", "/nowhere/cc")

    assert done.returncode == 3
    assert "/nowhere/cc: No such file" in done.stderr


def test_everything_answers_alike_without_it(tmp_path: Path) -> None:
    place = copied(tmp_path)
    ask = """
import json
from app import create_app
from app.config import Config
app = create_app(Config.from_env({"ORDINATE_MODELS": "models", "ORDINATE_ACCESS_LOG": "off"}))
client = app.test_client()
for x in ([1, 2, 0.5], [[1, 2, 0.5]] * 3, {"width": 1, "height": 2, "depth": 0.1}, [1, "2", 0.5]):
    print(client.post("/predict", json={"x": x}).data.decode())
print(client.get("/version").json["rows_read_by"])
"""
    publish(place / "models", "tiny", PLAIN, linear=True)
    without = run(place, "-c", ask).stdout.splitlines()
    if run(place, "-m", "app.compiled").returncode:
        pytest.skip("no C compiler")
    compiled = run(place, "-c", ask).stdout.splitlines()

    assert without[:-1] == compiled[:-1]
    assert (without[-1], compiled[-1]) == ("Python", "compiled code")
