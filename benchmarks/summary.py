"""What a session found, as lines for a terminal: ratios with their spread, never a bare time."""

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.figures import by_round, ratio
from benchmarks.session import Results

PAIRS = (
    ("1", "Ordinate"),
    ("100", "Ordinate"),
    ("1,000", "Ordinate"),
    ("10,000", "Ordinate"),
    ("1 by name", "Ordinate, table"),
    ("1,000 by name", "Ordinate, table"),
)
"""Each work and the service of ours that does it."""


def lines(results: Results) -> Iterator[str]:
    """The comparison of every service with ours, at every work."""
    yield ""
    yield "CPU of the service for one request, as a multiple of Ordinate's: median (least-most)"
    for work, ours in PAIRS:
        base = by_round(results.samples, ours, work)
        if not base:
            continue
        yield f"rows: {work}"
        yield f"  {'Ordinate':22} 1, which is {median(base.values()):,.1f} us"
        for service in _others(results, work, ours):
            costs = by_round(results.samples, service, work)
            rate = ratio(
                by_round(results.samples, ours, work, lambda s: s.requests / s.seconds),
                by_round(results.samples, service, work, lambda s: s.requests / s.seconds),
            )
            yield (
                f"  {service:22} {ratio(costs, base)}, {median(costs.values()):,.1f} us; "
                f"Ordinate answers {rate} times as many requests a second"
            )
    for each in results.samples:
        if each.error > 1e-9:
            yield f"{each.service} answers with an error of {each.error:.1e}"
    noise = median([each.others for each in results.samples] or [0.0])
    yield f"Other programs used {noise:.1%} of the services' core (median)."
    for name, why in results.skipped.items():
        yield f"Left out: {name}: {why}"


def _others(results: Results, work: str, ours: str) -> Sequence[str]:
    names = dict.fromkeys(each.service for each in results.samples if each.work == work)
    return [name for name in names if name != ours]
