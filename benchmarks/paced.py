"""Requests at a steady pace, whatever the answers take: the latency of a service that is half busy.

wrk sends as fast as it is answered, so its latencies are those of a service at its limit. Here each
request has a time at which it is due, and its latency counts from that time, also when the service
was late. The program that sends is in C: in Python it was as busy as the service. It spins, and so
knows when it was itself kept from its core; for so long nothing is due, and nothing is measured.
"""

import math
import random
import struct
import subprocess
import tempfile
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles

from benchmarks.programs import compiled
from benchmarks.wrk import CONNECTIONS

SOURCE = Path(__file__).parent / "paced.c"

WINDOW = 1_000
"""Requests, one after the other, over which a percentile is taken as well."""


@dataclass(frozen=True)
class Latencies:
    """Microseconds, how many requests a second were due, and for which share of the time none was.

    `usual_p99` is the median of the 99th percentiles of every thousand requests. When the machine
    stands still for a few milliseconds now and then, most thousands do not notice.
    """

    p50: float
    p99: float
    usual_p99: float
    rate: float
    still: float = 0.0


def run(
    port: int,
    requests: Sequence[bytes],
    rate: float,
    seconds: float,
    core: str,
    *,
    random_gaps: bool = False,
) -> Latencies:
    """Send `rate` requests a second for some seconds over a few connections.

    Args:
        port: of a service on 127.0.0.1 that keeps connections open.
        requests: whole ones, sent in turn.
        rate: requests a second.
        seconds: for which.
        core: to send from.
        random_gaps: whether gaps are as those of independent clients; else all are equal.

    Raises:
        ConnectionError: an answer is not one of success, a connection fails, or others have the
            core all the time.
    """
    with tempfile.NamedTemporaryFile(suffix=".paced") as file:
        file.write(written(requests, due_times(rate, seconds, random_gaps)))
        file.flush()
        command = ["taskset", "-c", core, compiled(SOURCE), str(port), str(CONNECTIONS), file.name]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60 + 10 * seconds)
    if done.returncode:
        raise ConnectionError(done.stderr.decode().strip())
    still, *taken = array("d", done.stdout)
    if len(taken) < 2:
        raise ConnectionError(f"core {core} has no time to send requests")
    return replace(summed_up(taken, rate), still=still / (seconds + still))


def written(requests: Sequence[bytes], due: Sequence[float]) -> bytes:
    """Requests and times in the form that the program reads."""
    texts = b"".join(struct.pack("q", len(request)) + request for request in requests)
    return struct.pack("qq", len(requests), len(due)) + texts + array("d", due).tobytes()


def summed_up(taken: Sequence[float], rate: float) -> Latencies:
    """The percentiles of latencies in seconds, in the order in which requests were answered."""
    cuts = quantiles(taken, n=100)
    windows = [taken[n : n + WINDOW] for n in range(0, max(1, len(taken) - WINDOW + 1), WINDOW)]
    usual = median(quantiles(window, n=100)[98] for window in windows)
    return Latencies(cuts[49] * 1e6, cuts[98] * 1e6, usual * 1e6, rate)


def due_times(rate: float, seconds: float, random_gaps: bool) -> list[float]:
    """When each request is due, in seconds from the beginning."""
    count = math.ceil(rate * seconds)
    if not random_gaps:
        return [number / rate for number in range(count)]
    drawn = random.Random(1)  # noqa: S311 - a pattern of load, no secret
    times, now = [], 0.0
    for _ in range(count):
        now += drawn.expovariate(rate)
        times.append(now)
    return times
