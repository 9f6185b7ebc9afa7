"""What a service holds, as Linux tells."""

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from scipy.stats import linregress


@dataclass(frozen=True)
class Reading:
    """All processes of a service at one time.

    Attributes:
        seconds: since the load began.
        memory: MB (PSS): what others map as well, as files of libraries, is shared out.
        anonymous: MB of that which is in no file.
        descriptors: open ones, without the connections of clients.
        threads: of all processes.
    """

    seconds: float
    memory: float
    anonymous: float
    descriptors: int
    threads: int


def read(processes: Sequence[int], seconds: float) -> Reading:
    """Read what these processes hold now; one that is gone holds nothing."""
    descriptors = threads = 0
    memory: Counter[str] = Counter()
    for process in processes:
        folder = Path("/proc") / str(process)
        with suppress(OSError):
            lines = (folder / "smaps_rollup").read_text().splitlines()
            memory.update({line.split()[0]: int(line.split()[1]) for line in lines[1:]})
            threads += len(os.listdir(folder / "task"))
            descriptors += sum(not _is_socket(each) for each in (folder / "fd").iterdir())
    held, anonymous = memory["Pss:"] / 1024, memory["Pss_Anon:"] / 1024
    return Reading(seconds, held, anonymous, descriptors, threads)


def _is_socket(descriptor: Path) -> bool:
    with suppress(OSError):
        return os.readlink(descriptor).startswith("socket:")
    return True  # closed meanwhile


def trend(amounts: Sequence[float], held: Sequence[float]) -> tuple[float, float]:
    """By how much of what is held more is held for each unit of an amount, and its standard error.

    A straight line by least squares, over the mean of what is held: from one reading to the next it
    moves by a percent either way, which the difference of any two of them would be.

    Args:
        amounts: done until each reading, shape (n,), 3 or more.
        held: at each reading, shape (n,).
    """
    line = linregress(amounts, held)
    middle = fmean(held)
    return float(line.slope) / middle, float(line.stderr) / middle


def growth(before: float, after: float) -> float:
    """By how much of what there was before there is more now."""
    return after / before - 1
