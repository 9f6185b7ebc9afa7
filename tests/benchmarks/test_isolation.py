"""A core of a service's own: others leave it, and come back."""

import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from benchmarks import isolation
from benchmarks.isolation import core_of_its_own, without

pytestmark = pytest.mark.skipif(
    platform.system() != "Linux" or len(os.sched_getaffinity(0)) < 2,
    reason="needs Linux and two cores",
)


@contextmanager
def sleeping(proc: Path, parent: int = 1) -> Iterator[int]:
    """A process that sleeps, and what a folder in the place of /proc tells of it."""
    with subprocess.Popen(["sleep", "60"]) as process:
        (proc / f"{process.pid}/task/{process.pid}").mkdir(parents=True)
        (proc / f"{process.pid}/stat").write_text(f"{process.pid} (a (b) c) S {parent} 1 1")
        try:
            yield process.pid
        finally:
            process.kill()


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "cpumask").write_text("ffffffff,ffffffff\n")
    monkeypatch.setattr(isolation, "WORKERS", tmp_path / "cpumask")
    (tmp_path / "proc").mkdir()
    return tmp_path / "proc"


def test_others_leave_the_core_and_come_back(proc: Path) -> None:
    cores = os.sched_getaffinity(0)
    one = {min(cores)}
    with sleeping(proc) as other, sleeping(proc) as service:
        os.sched_setaffinity(service, one)
        with core_of_its_own(one, proc) as moved:
            assert moved == 1
            assert os.sched_getaffinity(other) == cores - one
            assert os.sched_getaffinity(service) == one
            assert isolation.WORKERS.read_text() == without("ffffffff,ffffffff", one)

        assert os.sched_getaffinity(other) == cores
        assert os.sched_getaffinity(service) == one
        assert isolation.WORKERS.read_text() == "ffffffff,ffffffff\n"


def test_what_others_start_meanwhile_comes_back_with_them(proc: Path) -> None:
    cores = os.sched_getaffinity(0)
    one = {min(cores)}
    with sleeping(proc) as other, ExitStack() as later:
        with core_of_its_own(one, proc):
            started = later.enter_context(sleeping(proc, parent=other))
            os.sched_setaffinity(started, cores - one)

        assert os.sched_getaffinity(started) == cores


def test_a_failure_within_gives_the_core_back(proc: Path) -> None:
    cores = os.sched_getaffinity(0)
    with sleeping(proc) as other:
        with pytest.raises(ConnectionError), core_of_its_own({min(cores)}, proc):
            raise ConnectionError

        assert os.sched_getaffinity(other) == cores


@pytest.mark.parametrize(
    ("mask", "cores", "left"),
    [
        ("3\n", {0}, "00000002"),
        ("f", {1, 3}, "00000005"),
        ("ff,ffffffff", {0, 33}, "000000fd,fffffffe"),
        ("1", {0}, "00000000"),
    ],
)
def test_a_mask_is_written_as_linux_writes_it(mask: str, cores: set[int], left: str) -> None:
    assert without(mask, cores) == left
