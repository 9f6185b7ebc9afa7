"""What a session found, work by work: ratios with their spread, never a bare time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.figures import Spread, by_round, per_second, ratio
from benchmarks.goals import FLOOR, OURS, TEAMS, goals
from benchmarks.session import Results

PAIRS = (
    ("1", "Ordinate"),
    ("1, always the same", "Ordinate"),
    ("100", "Ordinate"),
    ("1,000", "Ordinate"),
    ("10,000", "Ordinate"),
    ("1 by name", "Ordinate, table"),
    ("1,000 by name", "Ordinate, table"),
)
"""Each work and the service of ours that does it."""

APART = {name for team in TEAMS.values() for name in team} - {OURS}
"""None of those that are compared: they have two cores, or more connections."""

QUIET = 1.15
"""Up to so much noise is what a machine of one's own has."""


@dataclass(frozen=True)
class Line:
    """One service at one work.

    Attributes:
        service: its name.
        times: how many times Ordinate's CPU it uses; None for Ordinate itself.
        microseconds: median CPU for one request.
        rate: how many times its requests a second Ordinate answers.
        error: the largest of its answers, relative.
    """

    service: str
    times: Spread | None
    microseconds: float
    rate: Spread | None
    error: float


def compared(results: Results, work: str, ours: str) -> Sequence[Line]:
    """All services that were measured at a work, ours first, then by what they cost."""
    samples = [each for each in results.samples if each.work == work]
    base = by_round(samples, ours, work)
    rates = by_round(samples, ours, work, per_second)
    found = []
    for name in dict.fromkeys(each.service for each in samples if each.service not in APART):
        costs = by_round(samples, name, work)
        is_ours = name == ours
        found.append(
            Line(
                name,
                None if is_ours else ratio(costs, base),
                median(costs.values()),
                None if is_ours else ratio(rates, by_round(samples, name, work, per_second)),
                max(each.error for each in samples if each.service == name),
            )
        )
    return sorted(found, key=lambda line: (line.service != ours, line.microseconds))


def noise(results: Results) -> float:
    """How many times its least cost the constant's largest was, over the rounds; 1 if unknown.

    It does the same in each round, so that only the machine can make a difference: what else runs
    on it, what shares its caches, how fast its clock is.
    """
    costs = by_round(results.samples, FLOOR, "1").values()
    return max(costs) / min(costs) if costs else 1.0


def about_noise(results: Results) -> str:
    """A sentence on how quiet the machine was."""
    found = noise(results)
    told = f"A constant answer cost {found:.2f} times its least in the worst round"
    if found < QUIET:
        return f"{told}: the machine was quiet."
    return f"{told}: the machine was not quiet, latencies and small differences tell little."


def lines(results: Results) -> Iterator[str]:
    """All of it for a terminal."""
    yield "\nThe service's CPU for one request, as a multiple of Ordinate's: median (least-most)"
    for work, ours in PAIRS:
        for line in compared(results, work, ours):
            times = "1" if line.times is None else str(line.times)
            note = f", error {line.error:.0e}" if line.error > 1e-9 else ""
            yield f"rows {work:18} {line.service:22} {times:22} {line.microseconds:,.1f} us{note}"
    yield "\nGoals"
    for goal in goals(results):
        if goal.found:
            bound = f"{goal.sense} {goal.bound:g}"
            told = f"{goal.work}: {goal.quantity}"
            yield f"{told:52} {goal.found!s:22} {bound:14} {goal.verdict}"
    yield f"\n{about_noise(results)}"
    for name, why in results.skipped.items():
        yield f"Left out: {name}: {why}"
