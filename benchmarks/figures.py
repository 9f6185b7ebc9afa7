"""The arithmetic of a comparison: ratios within each round, then their median and spread."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.rounds import Sample

Quantity = Callable[[Sample], float]


@dataclass(frozen=True)
class Spread:
    """A median with the least and the largest of what it is the median of."""

    median: float
    least: float
    largest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of some values, at least one."""
        return cls(median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{short(self.median)} ({short(self.least)}-{short(self.largest)})"


def short(value: float) -> str:
    """A number with three digits that count, and no more."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def cost(sample: Sample) -> float:
    """Microseconds of the service's CPU for one request."""
    return sample.cost


def per_second(sample: Sample) -> float:
    """Requests answered in a second."""
    return sample.requests / sample.seconds


def by_round(
    samples: Sequence[Sample], service: str, work: str, quantity: Quantity = cost
) -> Mapping[int, float]:
    """A quantity of one service at one work, by round."""
    return {
        each.round: quantity(each)
        for each in samples
        if each.service == service and each.work == work
    }


def ratio(over: Mapping[int, float], under: Mapping[int, float]) -> Spread | None:
    """How many times one is the other, compared within each round that has both."""
    found = [over[number] / under[number] for number in over if under.get(number)]
    return Spread.of(found) if found else None


def scaling(two: Sample, one: Sample) -> float:
    """How many times the requests two processes can answer, by the busier one's CPU.

    Requests per second would count the client, which shares their cores. A service is at its limit
    when its busiest process is, so what counts is the requests it answers in a second of that
    process's time.
    """
    return (two.requests / two.busiest) / (one.requests / one.busiest)


def scaling_if_even(two: Sample, one: Sample) -> float:
    """The same, had both processes done as much as each other."""
    return 2 * one.cost / two.cost
