"""Latencies at half of capacity, beside those of a program that takes as long."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks import paced, steady
from benchmarks.processes import Running

AS_LONG = "C, as long as {}"
"""The name of the program in C that stands in for a service."""


@dataclass(frozen=True)
class Paced:
    """One service at half of its capacity in one round: latencies in us, requests a second.

    `gaps` between requests were "equal", or "random" as those of independent clients. `usual_p99`
    is that of the middle one of all thousands of requests. `cost` is the CPU for one, in us.
    `still` is the share of the time in which no request could be sent, `alone` whether others were
    kept off the service's core.
    """

    service: str
    round: int
    gaps: str
    rate: float
    p50: float
    p99: float
    usual_p99: float
    cost: float
    still: float = 0.0
    alone: bool = False


@dataclass(frozen=True)
class Pace:
    """How requests come: so many a second, for so many seconds, from a core.

    `alone` says that others are kept off the service's core meanwhile.
    """

    rate: float
    seconds: float
    core: str
    alone: bool = False


@dataclass(frozen=True)
class Measured:
    """What they come to, in which round."""

    name: str
    round: int
    running: Running
    port: int


def measure(service: Measured, requests: Sequence[bytes], pace: Pace, core: str) -> list[Paced]:
    """A service at a pace, and each time the program that uses as much CPU as it just did.

    Raises:
        Unfit: the program does not answer.
        ConnectionError: a request is not answered with success.
    """
    found = []
    for gaps in ("equal", "random"):
        found.append(_at(service, requests, pace, gaps))
        with steady.serving(found[-1].cost, core) as (running, port):
            name = AS_LONG.format(service.name)
            control = replace(service, name=name, running=running, port=port)
            found.append(_at(control, requests, pace, gaps))
    return found


def _at(service: Measured, requests: Sequence[bytes], pace: Pace, gaps: str) -> Paced:
    running, random_gaps = service.running, gaps == "random"
    before = sum(running.cpu().values())
    # What matters here is when a process runs, not only for how long.
    with running.preferred():
        taken = paced.run(
            *(service.port, requests, pace.rate, pace.seconds, pace.core), random_gaps=random_gaps
        )
    used = sum(running.cpu().values()) - before
    cost = used / (pace.rate * pace.seconds) * 1e6
    latencies = (taken.p50, taken.p99, taken.usual_p99)
    which = (service.name, service.round, gaps, pace.rate)
    return Paced(*which, *latencies, cost, taken.still, pace.alone)
