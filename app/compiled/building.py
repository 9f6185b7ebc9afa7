"""Building the library: one call of a C compiler, and a trial before it is put in its place."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from app.compiled.library import FLAGS, HERE, SOURCES, load, path, powers

COMPILERS = ("cc", "gcc", "clang")
SECONDS = 120


class NotBuilt(Exception):
    """The library could not be built; the text says why, in one sentence."""


def build(compiler: str | None = None) -> Path:
    """Build the library unless it is there already.

    Args:
        compiler: to call; None for the first of COMPILERS that is installed, or else the one in the
            Python package ziglang.

    Returns:
        Where it is.

    Raises:
        NotBuilt: there is no compiler, or it failed.
    """
    place = path()
    if load(place) is not None:
        return place
    program = [compiler] if compiler else installed()
    try:
        with tempfile.TemporaryDirectory(dir=HERE, prefix=".building-") as folder:
            made = _compile(program, Path(folder))
            if load(made) is None:
                raise NotBuilt(f"what {program[0]} made cannot be loaded by this Python")
            os.replace(made, place)
    except OSError as error:
        raise NotBuilt(f"{error.filename or program[0]}: {error.strerror}") from error
    for old in HERE.glob("rows-*.so"):
        if old != place:
            old.unlink(missing_ok=True)
    return place


def installed() -> list[str]:
    """How to call a C compiler that is here. Raises NotBuilt."""
    for name in COMPILERS:
        if found := which(name):
            return [found]
    if find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc"]
    raise NotBuilt(f"no C compiler was found: install {', '.join(COMPILERS)} or Python's ziglang")


def _compile(program: Sequence[str], folder: Path) -> Path:
    """Compile into this folder. Raises NotBuilt, OSError."""
    (folder / "powers.h").write_text(powers(), "ascii")
    made = folder / "rows.so"
    command = [*program, *FLAGS, "-I", str(folder), *map(str, SOURCES), "-o", str(made)]
    try:
        # The program is what whoever builds has installed or named.
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotBuilt(f"{program[0]} took more than {SECONDS} s") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        said = next((line for line in lines if "error" in line), lines[0])
        raise NotBuilt(f"{program[0]} failed: {said.strip()[:300]}")
    return made
