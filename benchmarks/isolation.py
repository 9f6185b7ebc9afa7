"""A core for a service alone: all that can run elsewhere does, as long as latencies are measured.

What `isolcpus` does for good at boot. A thread of the kernel that is at work for a millisecond is
not interrupted, by no priority, so whatever shares a core with one has it in its tail. Threads that
are bound to the core stay, and whoever may not move others moves only its own.
"""

import os
import sys
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
WORKERS = Path("/sys/devices/virtual/workqueue/cpumask")
"""Which cores the kernel's own pool of threads may use, in hexadecimal."""


@dataclass(frozen=True)
class Moved:
    """Where a thread was allowed to run, and where it is now."""

    process: int
    before: Set[int]
    after: Set[int]


@contextmanager
def core_of_its_own(cores: Set[int], proc: Path = PROC) -> Iterator[int]:
    """Keep other threads off these cores, and give them back in the end.

    Yields how many threads had to go. Those that may only use these cores stay where they are: the
    service itself is among them.
    """
    moved: dict[int, Moved] = {}
    workers = _workers_elsewhere(cores)
    try:
        for thread, process in _threads(proc):
            if was := _move(thread, process, cores):
                moved[thread] = was
        yield len(moved)
    finally:
        _give_back(moved, proc)
        if workers:
            WORKERS.write_text(workers)


def _threads(proc: Path) -> Iterator[tuple[int, int]]:
    """All threads of the machine and their processes."""
    for process in proc.iterdir():
        if process.name.isdecimal():
            with suppress(OSError):
                for task in (process / "task").iterdir():
                    yield int(task.name), int(process.name)


def _move(thread: int, process: int, cores: Set[int]) -> Moved | None:
    if sys.platform != "linux":
        return None
    try:
        before = os.sched_getaffinity(thread)
        after = before - cores
        if not after or after == before:
            return None
        os.sched_setaffinity(thread, after)
    except OSError:
        return None  # it has ended, is bound to its core, or is not ours to move
    return Moved(process, before, after)


def _give_back(moved: dict[int, Moved], proc: Path) -> None:
    """Let them run where they did, and what they have started since."""
    if sys.platform != "linux":
        return
    processes = {each.process: each for each in moved.values()}
    for thread, process in _threads(proc):
        with suppress(OSError):
            was = (
                moved.get(thread) or processes.get(process) or processes.get(_parent(process, proc))
            )
            if was and os.sched_getaffinity(thread) == was.after:
                os.sched_setaffinity(thread, was.before)


def _parent(process: int, proc: Path) -> int:
    return int((proc / str(process) / "stat").read_text().rpartition(") ")[2].split()[1])


def _workers_elsewhere(cores: Set[int]) -> str | None:
    """Keep the kernel's pool off the cores; what was set before, if that is ours to change."""
    try:
        before = WORKERS.read_text()
        mask = without(before, cores)
        if int(mask.replace(",", ""), 16):
            WORKERS.write_text(mask)
            return before
    except OSError:
        pass  # not Linux, or not our machine
    return None


def without(mask: str, cores: Set[int]) -> str:
    """A mask as Linux writes it, groups of 32 bits in hexadecimal, without some cores."""
    left = int(mask.strip().replace(",", ""), 16)
    for core in cores:
        left &= ~(1 << core)
    groups = [
        f"{left >> shift & 0xFFFFFFFF:08x}" for shift in range(0, max(left.bit_length(), 1), 32)
    ]
    return ",".join(reversed(groups))
