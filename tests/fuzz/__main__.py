"""Fuzzes every decoder, and the service as a whole, for a bounded time.

``python -m tests.fuzz [--seconds 60] [NAME ...]``

Guided by coverage where Atheris is installed (requirements-fuzz.txt); else, with a note that says
so, by blind mutations. Begins with the seeds of each harness. An input that breaks a promise is
printed, and the exit code is 1: fix it, and add it to FOUND in tests/fuzz/test_harnesses.py.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz import instrumented
from tests.fuzz.harnesses import HARNESSES
from tests.fuzz.mutation import mutants

ROOT = Path(__file__).resolve().parents[2]
MAX_LENGTH = 8192
START_SECONDS = 600
"""To import everything, begin with the seeds and end, on a machine that has other work as well."""
OPTIONS = (
    f"-max_len={MAX_LENGTH}",
    "-timeout=60",  # seconds for one input, by the clock on the wall
    "-report_slow_units=60",
    "-rss_limit_mb=2048",
    "-print_final_stats=1",
    "-verbosity=0",
)
_UNGUIDED = "no interesting inputs were found"
"""Said where no code tells which ways were taken: then the fuzzer forgets even the seeds."""
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s+(\d+)")


@dataclass(frozen=True)
class Run:
    """How often a harness ran, and the input that it failed on, with what was said of it."""

    executed: int
    failed: bytes | None = None
    said: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(HARNESSES))
    parser.add_argument("--seconds", type=int, default=60, help="for each harness")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - set(HARNESSES):
        parser.error(f"no harness is called {min(unknown)!r}: there are {', '.join(HARNESSES)}")
    run = guided if find_spec("atheris") else blind
    if run is blind:
        print("Atheris is not installed (it has no wheel for every platform): blind mutations")
    return max(report(name, run(name, chosen.seconds)) for name in chosen.names or HARNESSES)


def report(name: str, run: Run) -> int:
    """Print what became of a harness. Returns an exit code."""
    verdict = "nothing found" if run.failed is None else f"FAILED on {run.failed!r}\n{run.said}"
    print(f"{name:10} {run.executed:>10,} inputs, {verdict}", flush=True)
    return int(run.failed is not None)


def guided(name: str, seconds: int) -> Run:
    """Run a harness under Atheris; on, where it was only the machine that stood still."""
    until, executed = time.monotonic() + seconds, 0
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "corpus").mkdir()
        for number, seed in enumerate(HARNESSES[name].seeds()):
            Path(folder, "corpus", f"seed-{number}").write_bytes(seed)
        extra = instrumented.environment(Path(folder)) if name == "compiled" else {}
        if extra is None:
            print(
                "there is no clang with its runtime: the compiled code is fuzzed without guidance"
            )
        environment = os.environ | (extra or {})
        while (left := int(until - time.monotonic())) > 0:
            run = _fuzzed(name, left, Path(folder), environment)
            executed += run.executed
            stalled = [*Path(folder).glob("timeout-*")]
            if run.failed is not None and not (stalled and _passes(name, stalled[0], environment)):
                return replace(run, executed=executed)
            for each in stalled:
                each.unlink()
    return Run(executed)


def _fuzzed(name: str, seconds: int, folder: Path, environment: Mapping[str, str]) -> Run:
    """Run the fuzzer once, in a process of its own."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.fuzz.guided", name, str(folder / "corpus"), *OPTIONS),
            *(f"-max_total_time={seconds}", f"-artifact_prefix={folder}/"),
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds + START_SECONDS,
        check=False,
    )
    said = done.stdout + done.stderr
    executed = int(found[1]) if (found := _EXECUTED.search(said)) else 0
    kinds = ("crash-*", "leak-*", "oom-*", "timeout-*")
    crashes = [each.read_bytes() for kind in kinds for each in folder.glob(kind)]
    if done.returncode == 0 and executed and not crashes and _UNGUIDED not in said:
        return Run(executed)
    return Run(executed, crashes[0] if crashes else b"", said[-4000:])


def _passes(name: str, file: Path, environment: Mapping[str, str]) -> bool:
    """Whether a harness passes on an input alone, in a minute of the processor."""
    command = [sys.executable, "-m", "tests.fuzz.alone", name]
    with file.open("rb") as given:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdin=given, capture_output=True, check=False
        )
    return done.returncode == 0


def blind(name: str, seconds: int) -> Run:
    """Run a harness on mutations of its seeds."""
    harness, until, executed = HARNESSES[name], time.monotonic() + seconds, 0
    for data in mutants([*harness.seeds()], random.Random(time.time_ns())):
        try:
            harness.check(data)
        except Exception:  # noqa: BLE001 - whatever it is, it is a finding
            return Run(executed, data, traceback.format_exc())
        executed += 1
        if time.monotonic() > until:
            break
    return Run(executed)


if __name__ == "__main__":
    sys.exit(main())
