"""A service as processes: what it costs is read from all of them, and none outlives it."""

import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import halfway, paced, processes, steady
from benchmarks.processes import Running
from tests.support.server import ROOT

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


KILLED = """
import os, signal, sys
from pathlib import Path
from benchmarks.processes import Running

with Running(["sleep", "60"], Path("/"), os.environ, sys.argv[1], Path(sys.argv[2])) as running:
    print(running.leader, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_started_ends_with_a_program_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, _allowed_cores(), str(tmp_path / "log")]

    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )

    assert done.returncode == -signal.SIGKILL, done.stderr
    until = time.monotonic() + 20
    while (state := _state(int(done.stdout))) not in (None, "Z") and time.monotonic() < until:
        time.sleep(0.01)
    assert state in (None, "Z")


REQUESTS = [b"GET / HTTP/1.1\r\n\r\n"]


def _one_core() -> str:
    return _allowed_cores().split(",")[0].split("-")[0]


def _allowed_cores() -> str:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("Cpus_allowed_list"))


def _state(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def test_a_program_takes_as_long_for_a_request_as_it_is_told() -> None:
    with steady.serving(400.0, _one_core()) as (running, port):
        before = sum(running.cpu().values())
        paced.run(port, REQUESTS, 500, 2, _allowed_cores())
        used = sum(running.cpu().values()) - before

    assert used / 1_000 == pytest.approx(400e-6, rel=0.2)


def test_beside_a_service_at_a_pace_stands_a_program_that_costs_as_much() -> None:
    with steady.serving(400.0, _one_core()) as (running, port):
        service = halfway.Measured("it", 3, running, port)
        pace = halfway.Pace(500, 1, _allowed_cores())
        found = halfway.measure(service, REQUESTS, pace, _one_core())

    assert [(each.service, each.gaps, each.round) for each in found] == [
        ("it", "equal", 3),
        ("C, as long as it", "equal", 3),
        ("it", "random", 3),
        ("C, as long as it", "random", 3),
    ]
    assert [each.cost for each in found] == pytest.approx([400] * 4, rel=0.3)


def test_stolen_time_is_that_of_all_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stat").write_text("cpu  11 12 13 14 15 16 17 250 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n")
    monkeypatch.setattr(processes, "PROC", tmp_path)
    monkeypatch.setattr(processes, "TICKS", 100)

    assert processes.stolen_seconds() == 2.5
