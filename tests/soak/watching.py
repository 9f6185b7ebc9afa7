"""What a service holds, as Linux tells."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Reading:
    """All processes of a service at one time.

    Attributes:
        seconds: since the load began.
        memory: MB (PSS).
        descriptors: open ones, without the connections of clients.
        threads: of all processes.
    """

    seconds: float
    memory: float
    descriptors: int
    threads: int


def read(processes: Sequence[int], seconds: float) -> Reading:
    """Read what these processes hold now; one that is gone holds nothing."""
    memory = descriptors = threads = 0
    for process in processes:
        folder = Path("/proc") / str(process)
        with suppress(OSError):
            lines = (folder / "smaps_rollup").read_text().splitlines()
            memory += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            threads += len(os.listdir(folder / "task"))
            descriptors += sum(not _is_socket(each) for each in (folder / "fd").iterdir())
    return Reading(seconds, memory / 1024, descriptors, threads)


def _is_socket(descriptor: Path) -> bool:
    with suppress(OSError):
        return os.readlink(descriptor).startswith("socket:")
    return True  # closed meanwhile


def growth(before: float, after: float) -> float:
    """By how much of what there was before there is more now."""
    return after / before - 1
