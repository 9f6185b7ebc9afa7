"""Under the compiler's sanitizers the compiled code touches nothing that is not its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.compiled.library import FLAGS, SOURCES, powers

ROOT = Path(__file__).resolve().parents[2]

# Bodies cut short and with changed bytes, each in memory of its own size, whose ends are guarded.
ATTACK = """
import ctypes, json, pathlib, random, sys
from app.compiled.library import load
from app.compiled.plan import Plan
from app.linear import Linear
from tests.support.hostile import DOCUMENTS, NUMBERS, ROWS
from tests.support.models import MIXED, PLAIN, SINGLE, ROWS as GOOD, fitted, linear_numbers

compiled = load(pathlib.Path(sys.argv[1]))
draw = random.Random(1)
tried = 0
for schema in (PLAIN, MIXED, SINGLE):
    plan = Plan(schema, compiled, Linear(linear_numbers(schema, fitted(schema)), schema))
    rows = [list(row) for row in GOOD[id(schema)]]
    objects = [dict(zip(schema.names, row)) for row in rows]
    bodies = [case.body for case in (*DOCUMENTS, *NUMBERS, *ROWS) if len(case.body) < 100_000]
    bodies += [json.dumps({"x": x}).encode() for x in (rows, objects, rows * 2000, rows[0])]
    for body in bodies:
        for _ in range(20):
            cut, byte = draw.randrange(len(body) + 1), bytes([draw.randrange(256)])
            for text in (body, body[:cut], body[:cut] + byte + body[cut:]):
                width = len(schema.features)
                for room in (0, 1, min(len(text) // (2 * width), 5000)):
                    memory = (ctypes.c_double * (room * (width + 1)))()
                    place = ctypes.byref(memory)
                    for call in compiled.brief:
                        call(plan._plan, text, len(text), b'"x"', place, room)
                    tried += 1
print(tried)
"""


WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wno-sign-conversion", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1")
UNUSED = ("-O3", "-D_FORTIFY_SOURCE=2")


@pytest.fixture
def gcc() -> str:
    found = shutil.which("gcc")
    if sys.platform != "linux" or found is None:
        pytest.skip("needs gcc on Linux")
    return found


@pytest.fixture
def runtime(gcc: str) -> str:
    """Where the sanitizers' own library is."""
    command = [gcc, "-print-file-name=libasan.so"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if not Path(found).is_absolute():
        pytest.skip("gcc has no address sanitizer here")
    return found


def test_no_body_makes_it_read_or_write_elsewhere(tmp_path: Path, gcc: str, runtime: str) -> None:
    (tmp_path / "powers.h").write_text(powers())
    library = str(tmp_path / "rows.so")
    flags = [*(flag for flag in FLAGS if flag not in UNUSED), *WARNINGS, *SANITIZERS]
    subprocess.run(
        [gcc, *flags, "-I", str(tmp_path), *map(str, SOURCES), "-o", library], check=True
    )

    done = subprocess.run(
        [sys.executable, "-c", ATTACK, library],
        cwd=ROOT,
        env=os.environ
        | {
            "LD_PRELOAD": runtime,
            "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
            "PYTHONMALLOC": "malloc",  # so that each body has its own, guarded memory
        },
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) > 10_000
