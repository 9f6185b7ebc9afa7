"""An open loop: requests come when they are due, whatever became of those before."""

import subprocess
import tempfile
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import busy_seconds
from benchmarks.programs import compiled

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Flood:
    """What became of the requests.

    Attributes:
        seconds: for which they were sent.
        times: of each, the seconds until its answer, by status; 0 is a lost connection.
        unsent: how many were due and found no free connection until the end.
        successes: when each was there, in seconds from the beginning.
        awake: share of the time that the machine did not stand still. Virtual machines do so when
            others want the processor, all cores at once, and count it as idle: but the program that
            sends is never idle.
    """

    seconds: float
    times: dict[int, list[float]]
    unsent: int
    successes: Sequence[float]
    awake: float = 1.0

    def rate(self, *statuses: int) -> float:
        """Answers a second with these statuses, without any all of them."""
        counted = statuses or tuple(self.times)
        return sum(len(self.times.get(status, ())) for status in counted) / self.seconds

    def goodput(self, since: float = 0.0) -> float:
        """Successes a second of the time in which the machine did not stand still.

        Args:
            since: seconds from the beginning that do not count, nor does what is there in them.
        """
        counted = sum(since < when <= self.seconds for when in self.successes)
        return counted / (self.seconds - since) / self.awake

    def percentile(self, status: int, share: float) -> float:
        """Seconds within which so many of the answers with this status came; 0 for none."""
        return percentile(self.times.get(status, ()), share)


def percentile(values: Sequence[float], share: float) -> float:
    """What so many of the values do not exceed; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def flood(
    port: int, request: bytes, *, connections: int, rate: float, seconds: float, core: str
) -> Flood:
    """Send a request `rate` times a second over as many connections as it takes, up to a number."""
    with tempfile.NamedTemporaryFile(suffix=".request") as file:
        file.write(request)
        file.flush()
        begun, worked = time.monotonic(), busy_seconds(int(core))
        done = subprocess.run(
            [
                *("taskset", "-c", core, compiled(HERE / "flood.c"), str(port)),
                *(str(connections), str(rate), str(seconds), file.name),
            ],
            capture_output=True,
            check=True,
            timeout=seconds + 60,
        )
    awake = (busy_seconds(int(core)) - worked) / (time.monotonic() - begun)
    told = array("d", done.stdout)
    times: dict[int, list[float]] = {}
    successes = array("d")
    for place in range(0, len(told), 3):
        sent, took, status = told[place : place + 3]
        times.setdefault(int(status), []).append(took)
        if status == 200:
            successes.append(sent + took)
    return Flood(seconds, times, int(done.stderr), successes, min(1.0, awake))
