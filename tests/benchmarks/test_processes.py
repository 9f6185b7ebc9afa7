"""A service as processes: what it costs is read from all of them, and none outlives it."""

import os
import platform
import sys
import time
from pathlib import Path

import pytest

from benchmarks.processes import Running

pytestmark = pytest.mark.skipif(
    platform.system() != "Linux", reason="the benchmarks read Linux's /proc"
)

FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
time.sleep(60)
"""


def test_the_cpu_and_memory_of_descendants_count_and_all_end(tmp_path: Path) -> None:
    core = _allowed_cores()
    command = [sys.executable, "-c", FAMILY]

    with Running(command, tmp_path, dict(os.environ), core, tmp_path / "log") as running:
        until = time.monotonic() + 30
        while sum(running.cpu().values()) < 0.5 and time.monotonic() < until:
            time.sleep(0.01)
        family, used, held = running.processes(), running.cpu(), running.pss()

    assert len(family) == 2
    assert max(used.values()) >= 0.3
    assert sum(held.values()) > 1
    assert not [pid for pid in family if _state(pid) not in (None, "Z")]


def _allowed_cores() -> str:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("Cpus_allowed_list"))


def _state(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return None
