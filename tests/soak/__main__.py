"""Runs all that takes long, one after the other: ``python -m tests.soak [NAME ...]``.

What fails keeps nothing behind it from being run; at the end the names of all that failed are said,
and the exit code is 1.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_GENERATED = (
    *("tests/compiled", "tests/protocols", "tests/worker/test_heads.py", "tests/test_checking.py"),
    *("tests/test_diagnosis.py", "tests/test_linear.py", "tests/http/test_headers.py"),
    "tests/http/test_outside.py",
)
"""Tests with inputs that hypothesis makes."""

_MODULES = (
    *("serving", "swaps", "nemesis", "overload", "slowness", "processes", "promotions", "timing"),
    *("quotas", "records", "corpora", "requests", "documents", "bombs"),
)
_PYTEST = (sys.executable, "-m", "pytest", "-q", "--timeout=3600", "-o", "faulthandler_timeout=0")
_EXAMPLES = ("env", "SCHEMATHESIS_EXAMPLES=200")

PROGRAMS: Mapping[str, Sequence[str]] = {
    **{name: (sys.executable, "-m", f"tests.soak.{name}") for name in _MODULES},
    "generated": (*_PYTEST, "--hypothesis-profile=soak", *_GENERATED),
    "schemathesis": (*_EXAMPLES, *_PYTEST, "tests/http/test_schemathesis.py"),
    "fuzz": (str(ROOT / ".venv-fuzz" / "bin" / "python"), "-m", "tests.fuzz"),
}


def main(
    arguments: Sequence[str] | None = None, programs: Mapping[str, Sequence[str]] = PROGRAMS
) -> int:
    """Run the programs. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(programs))
    names = parser.parse_args(arguments).names
    if unknown := set(names) - set(programs):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    chosen = {name: programs[name] for name in names or programs}
    failed = [name for name, command in chosen.items() if not _runs(name, command)]
    if failed:
        print(f"failed: {', '.join(failed)}", flush=True)
    return 1 if failed else 0


def _runs(name: str, command: Sequence[str]) -> bool:
    """Whether a program says that all is as it should be."""
    print(f"== {name}", flush=True)
    begun = time.monotonic()
    try:
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
    except OSError as error:
        print(f"error: {command[0]}: {error.strerror}", file=sys.stderr)
        code = 127
    print(f"== {name}: exit code {code} after {time.monotonic() - begun:.0f} s", flush=True)
    return code == 0


if __name__ == "__main__":
    sys.exit(main())
