"""The report: docs/benchmarks.md and its plot, written from the figures of one session."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.figures import Spread, by_round, ratio
from benchmarks.goals import OURS, TEAMS, capacities, goals, tails
from benchmarks.plot import draw
from benchmarks.rounds import Start
from benchmarks.services import MANY
from benchmarks.session import Results
from benchmarks.summary import PAIRS, about_noise, compared

PLOT = "benchmarks.svg"

_HEAD = Path(__file__).parent / "report_head.md"


def write(results: Results, folder: Path) -> None:
    """Write the report and its plot."""
    folder.mkdir(exist_ok=True)
    (folder / PLOT).write_text(draw(results), encoding="utf-8")
    text = "\n\n".join(part.strip() for part in _parts(results))
    (folder / "benchmarks.md").write_text(text + "\n", encoding="utf-8")


def _parts(results: Results) -> Iterator[str]:
    yield _HEAD.read_text("utf-8")
    yield "## Goals"
    yield _goals(results)
    yield "## All services"
    for work, ours in PAIRS:
        if lines := _work(results, work, ours):
            yield f"Rows in one request: {work}"
            yield lines
    yield "## Start and memory"
    yield _starts(results)
    yield "## At half of capacity"
    yield _paced(results)
    if {each.service for each in results.samples} & {two for _, two, _ in TEAMS.values()}:
        yield "## Two workers"
        yield _two(results)
    yield "## Circumstances"
    yield _circumstances(results)


def _goals(results: Results) -> str:
    rows = (
        (goal.work, goal.quantity, f"{goal.sense} {goal.bound:g}", goal.found or "", goal.verdict)
        for goal in goals(results)
    )
    return _table(("work", "quantity", "goal", "found", "kept"), rows)


def _work(results: Results, work: str, ours: str) -> str:
    found = compared(results, work, ours)
    if not found:
        return ""
    rows = (
        (
            line.service + (f" (off by {line.error:.0e})" if line.error > 1e-9 else ""),
            line.times or "1",
            f"{line.microseconds:,.0f}",
            line.rate or "1",
        )
        for line in found
    )
    heads = ("service", "CPU, times Ordinate's", "us", "requests a second, Ordinate's over its")
    return _table(heads, rows)


def _starts(results: Results) -> str:
    ours = {each.round: each for each in results.starts if each.service == OURS}
    rows = []
    for name in dict.fromkeys(each.service for each in results.starts):
        if name in TEAMS[MANY]:
            continue  # the same as with few connections
        own = [each for each in results.starts if each.service == name and each.round in ours]
        if not own:
            continue
        seconds = Spread.of([each.seconds / ours[each.round].seconds for each in own])
        memory = Spread.of([each.pss / ours[each.round].pss for each in own])
        took = f"{median(each.seconds for each in own):.2f}"
        held, after = (f"{median(values):,.0f}" for values in _memories(own))
        rows.append((name, seconds, took, memory, held, after))
    heads = ("service", "start, times Ordinate's", "s", "memory, times Ordinate's")
    return _table((*heads, "MB after single rows", "MB after all works"), rows)


def _memories(starts: Sequence[Start]) -> tuple[list[float], list[float]]:
    return [each.pss for each in starts], [each.pss_after for each in starts]


def _paced(results: Results) -> str:
    text = (
        "Requests were due at half the rate that was found at the limit just before; a latency\n"
        "counts from the time at which its request was due. Equal gaps are those of one steady\n"
        "source, random ones those of clients that know nothing of each other. Service and load\n"
        "go before other programs here, where that is allowed, and while somebody else has the\n"
        "core of the load (*still*) nothing is due. Where the service is *alone* on its core\n"
        "(`--isolate`, as root), threads of other programs and of the kernel are kept off that as\n"
        "far as they are not bound to it, as `isolcpus` does for good; no priority goes before\n"
        "the kernel's own.\n\n"
        "*C, as long* is a program of a few lines that uses as much CPU for each request as one\n"
        "has just cost the service, at the same pace: what tail it has is that of the machine,\n"
        "which stands still for milliseconds now and then. The 99th percentile is therefore also\n"
        "taken of each thousand requests, and the median of these shown. An interpreter suffers\n"
        "more than those few lines: when others have had the caches, a request takes four to five\n"
        "times as long, in all its parts.\n\n"
    )
    rows = []
    for which in dict.fromkeys((each.service, each.gaps, each.alone) for each in results.paced):
        own = [each for each in results.paced if (each.service, each.gaps, each.alone) == which]
        tail, usual = (tails(results, *which, quantity) for quantity in ("p99", "usual_p99"))
        middle, cost = (
            Spread.of([getattr(each, name) for each in own]) for name in ("p50", "cost")
        )
        still = f"{max(each.still for each in own):.1%}"
        name, gaps, alone = which
        core = "alone" if alone else "shared"
        rows.append((name, gaps, core, tail or "", usual or "", middle, cost, still))
    heads = (
        *("service", "gaps", "core", "p99 over p50", "p99 of most thousands over p50"),
        *("p50, us", "CPU, us", "still, at most"),
    )
    return text + _table(heads, rows)


def _two(results: Results) -> str:
    text = (
        "Two workers have both cores, and wrk shares them, so requests a second say nothing:\n"
        "their capacity is what they answered while the busier of the two used a second of CPU.\n"
        "Each worker has as many connections as the one alone. *Two services* are two of one\n"
        "worker each under the same load; all they share is a port (`--reuse-port`), and they\n"
        "are taken to be equally busy. With 8 connections the load goes to sleep between answers,\n"
        "and who answers spends CPU on waking it, more where it sleeps on the other core; with 32\n"
        "it always has something to read. Clients on other machines are woken by those.\n\n"
    )
    rows = []
    for connections, (one, two, _) in TEAMS.items():
        own = [each for each in results.samples if each.service == two]
        if own:
            costs = ratio(by_round(own, two, "1"), by_round(results.samples, one, "1"))
            share = Spread.of([each.busiest / each.cpu for each in own])
            capacity, control = capacities(results, connections)
            rows.append((connections, capacity or "", control or "", costs or "", share))
    heads = (
        *("connections", "capacity, times that of one", "two services"),
        *("a request's CPU, times that with one", "the busier worker's share of the CPU"),
    )
    return text + _table(heads, rows)


def _circumstances(results: Results) -> str:
    rows = [f"- {name}: {told}" for name, told in results.circumstances.items()]
    rows.append(f"- noise: {about_noise(results)}")
    rows += [f"- left out: {name}: {why}" for name, why in results.skipped.items()]
    return "\n".join(rows)


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [list(heads)]
    lines += [["---"] * len(lines[0])]
    lines += [[str(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
