"""Five times as many requests as can be answered: ``python -m tests.soak.overload``.

One worker on one core, the requests from the other. What is too much must be refused soon, what is
answered must be nearly as much as without it, a health check must not notice, and two seconds
after the end everything must be as before. Exit code 1 if not.

The most is what the same clients are answered if they ask about as often as can be answered. A
virtual machine is not equally fast at all times: what one core answers moves by a fifth within a
minute. So the share of it is found by short floods, each beside the most of the same moments, and
the median counts. What was answered in the long flood, and what a few connections are answered that
always ask, is told as well.

To refuse takes a part of the core in any program, and where bodies are large that is no small part:
data comes over the wire whatever is done with it. An answer takes the system longer over thousands
of connections than over a few, by microseconds, which is much of the few that a row takes. Both
are measured in the same run, by programs in C that do nothing else, and told beside the rest; no
goal is less for it.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from benchmarks.processes import Running, free_port
from tests.soak.flooding import Flood, flood, percentile
from tests.soak.floors import floor, growth
from tests.soak.probing import Probe, Seen
from tests.soak.serving import ROOT, wait_until_ready
from tests.support.models import PLAIN, publish
from tests.support.raw import post

SERVICE, CLIENTS = "0", "1"
"""Cores."""

TIMES = 5
RATES = (0.8, 0.9, 1.0)
"""Of what a few connections are answered: by one of those all clients are answered the most."""

PAIRS, PAIR_SECONDS, RISE_SECONDS = 5, 4.0, 1.5
"""Short floods, how long each takes, and how long it rises: a thousand clients do not begin to send
half a gigabyte in no time."""

COLLAPSE = 0.75
"""Of the most, less than which must not be answered in the long flood in any case."""

RECOVERED_SECONDS = 2.0


@dataclass(frozen=True)
class Case:
    """A kind of request.

    Attributes:
        name: of it.
        model: that answers.
        rows: in one request.
        usual: connections that keep the service just busy.
        most: connections of the flood.
        goodput: least share of what is answered at most that must be answered in the flood.
        refused: most seconds that 99 in 100 refusals may take.
    """

    name: str
    model: str
    rows: int
    usual: int
    most: int
    goodput: float = 0.9
    refused: float = 0.25

    @property
    def request(self) -> bytes:
        """All its bytes."""
        draw = random.Random(1)
        x = [[draw.random() for _ in PLAIN.names] for _ in range(self.rows)]
        return post(
            json.dumps({"x": x[0] if self.rows == 1 else x}).encode(),
            target=f"/models/{self.model}/predict",
        )

    @property
    def body(self) -> bytes:
        """Its body alone."""
        return self.request.partition(b"\r\n\r\n")[2]


CASES = (
    Case("one row, on the event loop", "tiny", 1, 16, 2_000),
    Case("1,000 rows, on the event loop", "tiny", 1_000, 16, 1_000),
    Case("10,000 rows, in threads", "tiny", 10_000, 8, 1_000),
    Case("one row by a pickled forest, in threads", "forest", 1, 8, 2_000),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    options = parser.parse_args(arguments)
    cases = [case for case in CASES if options.only in case.name]
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        publish(models, "tiny", PLAIN, linear=True)
        publish(models, "forest", PLAIN, estimator=_forest())
        port = free_port()
        env = os.environ | {"ORDINATE_MODELS": str(models), "PORT": str(port)}
        env |= {"ORDINATE_WORKERS": "1", "ORDINATE_MODEL": "tiny"}
        command = [sys.executable, "-m", "gunicorn", "wsgi:app"]
        with Running(command, ROOT, env, SERVICE, Path(folder) / "service.log") as running:
            wait_until_ready(port)
            with running.preferred():
                return max(_case(case, running, port, options.seconds) for case in cases)


def _forest() -> RandomForestRegressor:
    draw = np.random.default_rng(1)
    x = draw.normal(size=(500, len(PLAIN.names)))
    return RandomForestRegressor(300, random_state=1).fit(x, x.sum(axis=1))


def _case(case: Case, running: Running, port: int, seconds: float) -> int:
    path = f"/models/{case.model}/predict"
    _send(case, port, case.usual, 1e6, 2)
    before = _most(case, port, case.usual, 1e6)
    pairs = [_pair(case, port, before) for _ in range(PAIRS // 2)]
    most = median(pair.most for pair in pairs)
    with Probe(port, "/healthz") as health, Probe(port, path, case.body) as probe:
        begin = time.monotonic()
        time.sleep(3)
        flooded = time.monotonic()
        found = _send(case, port, case.most, TIMES * most, seconds)
        end = flooded + seconds
        time.sleep(max(0.0, end + 6 - time.monotonic()))
    quiet = percentile([each.seconds for each in probe.within(begin, flooded)], 0.99)
    checks = health.within(flooded, end)
    pairs += [_pair(case, port, before) for _ in range(PAIRS - len(pairs))]
    return _report(case, pairs, found, checks, _recovery(probe, end, quiet), running)


@dataclass(frozen=True)
class Pair:
    """What was answered a second in a few moments.

    Attributes:
        few: to a few connections that always ask.
        most: to all connections of the flood, which ask about as often in turn.
        flood: to those, with five times as many requests due.
    """

    few: float
    most: float
    flood: float


def _pair(case: Case, port: int, rate: float) -> Pair:
    few = _most(case, port, case.usual, 1e6)
    most = max(_most(case, port, case.most, share * rate) for share in RATES)
    return Pair(few, most, _most(case, port, case.most, TIMES * max(few, most)))


def _most(case: Case, port: int, connections: int, rate: float) -> float:
    """Answers a second, once it goes on evenly."""
    return _send(case, port, connections, rate, PAIR_SECONDS).goodput(RISE_SECONDS)


def _send(case: Case, port: int, connections: int, rate: float, seconds: float) -> Flood:
    return flood(
        port, case.request, connections=connections, rate=rate, seconds=seconds, core=CLIENTS
    )


def _left(case: Case, found: Flood, peak: float) -> float:
    """Share of the core that no program would lose in such a flood; tells what it loses."""
    cores = {"service": SERVICE, "clients": CLIENTS}
    if found.times.get(503):
        least = floor(case.request, case.most, found.rate(), **cores)
        left = least.left(found.rate(503))
        print(f"  refusing takes {least.seconds * 1e6:.0f} us in C, {1 - left:.0%} of the core")
        return left
    if case.rows == 1:
        more = growth(case.request, case.usual, case.most, **cores)
        left = 1 / (1 + more * peak)
        print(f"  an answer takes {more * 1e6:.1f} us more in C, {1 - left:.0%} of the core")
        return left
    return 1.0


def _recovery(probe: Probe, end: float, quiet: float) -> float:
    """Seconds from the end of the flood to the last answer that was refused or slow."""
    late = [
        each.when + each.seconds
        for each in probe.within(0, float("inf"))
        if each.when + each.seconds > end and _is_bad(each, quiet)
    ]
    return max(0.0, max(late, default=end) - end)


def _is_bad(each: Seen, quiet: float) -> bool:
    return each.status != 200 or each.seconds > 3 * quiet + 0.02


def _report(
    case: Case,
    pairs: Sequence[Pair],
    found: Flood,
    checks: Sequence[Seen],
    recovery: float,
    running: Running,
) -> int:
    few, most = median(pair.few for pair in pairs), median(pair.most for pair in pairs)
    shares = sorted(pair.flood / pair.most for pair in pairs)
    goodput, lost = median(shares), len(found.times.get(0, ()))
    unhealthy = sum(each.status != 200 for each in checks)
    slow_check = percentile([each.seconds for each in checks], 0.99)
    of_few = median(pair.flood / pair.few for pair in pairs)
    print(f"{case.name}: {few:,.0f} a second over {case.usual} connections that always ask,")
    print(f"  at most {most:,.0f} over {case.most:,} that ask as often; {TIMES} times as many due:")
    print(f"  {goodput:.0%} of the most are answered ({shares[0]:.0%} to {shares[-1]:.0%})")
    left, sent = _left(case, found, few), found.rate()
    print(f"  {of_few:.0%} of a few connections', {of_few / left:.0%} of what C leaves of those")
    print(f"  the machine stood still for {1 - found.awake:.0%} of the time, which is not counted")
    print(f"  sent {sent:,.0f} a second for so long, {sent / (TIMES * most):.0%} of those due")
    long = found.goodput() / most
    print(f"  answered {found.goodput():,.0f} a second, {long:.0%} of the most; {lost} lost")
    for status, name in ((200, "an answer"), (503, "a refusal")):
        half, late = (found.percentile(status, share) * 1e3 for share in (0.5, 0.99))
        print(f"  {name}: {half:.1f} ms, p99 {late:.1f} ms ({len(found.times.get(status, ())):,})")
    print(f"  health checks: {len(checks)}, {unhealthy} failed, p99 {slow_check * 1e3:.1f} ms")
    print(f"  recovered after {recovery:.2f} s; memory {sum(running.pss().values()):.0f} MB")
    kept = not lost and not unhealthy and recovery <= RECOVERED_SECONDS
    kept = kept and goodput >= case.goodput and long >= COLLAPSE
    kept = kept and found.percentile(503, 0.99) <= case.refused
    odd = {status for status in found.times if status not in (0, 200, 503)}
    return 0 if kept and not odd else 1


if __name__ == "__main__":
    sys.exit(main())
