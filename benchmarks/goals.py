"""What Ordinate is meant to reach, and whether a session found that it does."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from benchmarks.figures import Spread, by_round, ratio, scaling, scaling_if_even
from benchmarks.halfway import AS_LONG
from benchmarks.rounds import Sample
from benchmarks.services import MANY
from benchmarks.session import Results
from benchmarks.wrk import CONNECTIONS

OURS, TABLE = "Ordinate", "Ordinate, table"
TWO, TWICE = "Ordinate, 2 workers", "Ordinate, twice"
_MORE = f", {MANY} connections"
TEAMS = {
    CONNECTIONS: (OURS, TWO, TWICE),
    MANY: (OURS + _MORE, TWO + _MORE, TWICE + _MORE),
}
"""Connections of each worker; one worker, two, and two services of one at the same port."""

FLOOR = "constant, our worker"
UNTOLD = "constant, our worker, untold"


@dataclass(frozen=True)
class Goal:
    """One goal.

    Attributes:
        work: what is asked for.
        quantity: what is compared, over what.
        sense: whether the goal is a least or a most.
        bound: of the median.
        found: None where it was not measured.
        control: the same of what cannot be better on this machine, if that was measured.
        whose: what that is.
    """

    work: str
    quantity: str
    sense: Literal["at least", "at most"]
    bound: float
    found: Spread | None
    control: Spread | None = None
    whose: str = "C, as long"

    @property
    def verdict(self) -> str:
        """Whether the median keeps within the bound, and whether what cannot be better does."""
        if self.found is None:
            return "not measured"
        told, but = ("yes", "not by ") if self._keeps(self.found) else ("no", "nor by ")
        if self.control is None:
            return told
        return f"{told}; {'' if self._keeps(self.control) else but}{self.whose}: {self.control}"

    def _keeps(self, found: Spread) -> bool:
        least = self.sense == "at least"
        return found.median >= self.bound if least else found.median <= self.bound


_TIMES = (
    ("1", OURS, "FastAPI", 4.0),
    ("1", OURS, "MLServer", 8.0),
    ("1,000", OURS, "FastAPI", 5.0),
    ("1,000", OURS, "MLServer", 2.0),
    ("10,000", OURS, "FastAPI", 5.0),
    ("1 by name", TABLE, "FastAPI, table", 4.0),
    ("1,000 by name", TABLE, "FastAPI, table", 4.0),
)
"""Work, service of ours, peer, and how many times our CPU the peer is to use."""


def goals(results: Results) -> Iterator[Goal]:
    """All goals, in the order of the issue that set them."""
    for work, ours, peer, bound in _TIMES:
        found = ratio(_costs(results, peer, work), _costs(results, ours, work))
        yield Goal(_rows(work), f"CPU of {peer} over ours", "at least", bound, found)
        if peer == "MLServer" and work == "1":
            for name in (FLOOR, UNTOLD):
                floor = ratio(_costs(results, OURS, work), _costs(results, name, work))
                yield Goal(_rows(work), f"our CPU over {name}", "at most", 1.5, floor)
    rows = ratio(_costs(results, OURS, "10,000", 10_000), _costs(results, OURS, "100", 100))
    yield Goal("10,000 rows", "our CPU for a row over that at 100", "at most", 1.2, rows)
    yield Goal(
        "start", "seconds to a first prediction", "at most", 0.5, _starts(results, "seconds")
    )
    yield Goal("memory", "MB (PSS), master and one worker", "at most", 75, _starts(results, "pss"))
    for connections in TEAMS:
        two, twice = capacities(results, connections)
        quantity, whose = f"capacity over that of one, {connections} connections", "two services"
        yield Goal("two workers", quantity, "at least", 1.8, two, twice, whose)
    halves = {False: "half of capacity", True: "half of capacity, alone on its core"}
    for alone in sorted({False, *(each.alone for each in results.paced)}):
        for which, quantity in (("p99", "p99"), ("usual_p99", "p99 of most thousands")):
            found, control = (
                tails(results, name, "equal", alone, which) for name in (OURS, AS_LONG.format(OURS))
            )
            yield Goal(halves[alone], f"{quantity} over p50", "at most", 3, found, control)


def tails(
    results: Results, service: str, gaps: str, alone: bool = False, which: str = "p99"
) -> Spread | None:
    """How many times its median latency a service's 99th percentile is at half of capacity."""
    found = [
        getattr(each, which) / each.p50
        for each in results.paced
        if (each.service, each.gaps, each.alone) == (service, gaps, alone)
    ]
    return Spread.of(found) if found else None


def _costs(results: Results, service: str, work: str, rows: int = 1) -> dict[int, float]:
    """CPU by round, for one request or for one of its rows."""
    found = by_round(results.samples, service, work)
    return {number: cost / rows for number, cost in found.items()}


def _starts(results: Results, name: str) -> Spread | None:
    found = [getattr(each, name) for each in results.starts if each.service == OURS]
    return Spread.of(found) if found else None


def capacities(results: Results, connections: int) -> tuple[Spread | None, Spread | None]:
    """How many times the capacity of one worker two have, and two services of one."""
    one, two, twice = TEAMS[connections]
    # Which of two services a connection goes to is the system's choice, and no matter of theirs.
    return _scaled(results, two, one, scaling), _scaled(results, twice, one, scaling_if_even)


def _scaled(
    results: Results, two: str, one: str, measure: Callable[[Sample, Sample], float]
) -> Spread | None:
    samples = {(each.service, each.round): each for each in results.samples if each.work == "1"}
    found = [
        measure(sample, samples[one, number])
        for (service, number), sample in samples.items()
        if service == two and (one, number) in samples
    ]
    return Spread.of(found) if found else None


def _rows(work: str) -> str:
    count, by, names = work.partition(" by name")
    return f"{count} {'row' if count == '1' else 'rows'}{by}{names}"
