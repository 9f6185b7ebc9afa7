"""Five times as many requests as can be answered: ``python -m tests.soak.overload``.

One worker on one core, the requests from the other. What is too much must be refused soon, what is
answered must be nearly as much as without it, a health check must not notice, and two seconds
after the end everything must be as before. Exit code 1 if not.

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
    before = [_peak(case, port) for _ in range(3)]
    with Probe(port, "/healthz") as health, Probe(port, path, case.body) as probe:
        begin = time.monotonic()
        time.sleep(3)
        flooded = time.monotonic()
        found = _send(case, port, case.most, TIMES * max(before), seconds)
        end = flooded + seconds
        time.sleep(max(0.0, end + 6 - time.monotonic()))
    quiet = percentile([each.seconds for each in probe.within(begin, flooded)], 0.99)
    checks = health.within(flooded, end)
    # The machine is not equally fast at all times.
    peak = median(before + [_peak(case, port) for _ in range(3)])
    return _report(case, peak, found, checks, _recovery(probe, end, quiet), running)


def _peak(case: Case, port: int) -> float:
    """Answers a second to a few connections that always ask."""
    return _send(case, port, case.usual, 1e6, 5).goodput()


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
    peak: float,
    found: Flood,
    checks: Sequence[Seen],
    recovery: float,
    running: Running,
) -> int:
    goodput, lost = found.goodput() / peak, len(found.times.get(0, ()))
    unhealthy = sum(each.status != 200 for each in checks)
    slow_check = percentile([each.seconds for each in checks], 0.99)
    print(f"{case.name}: at most {peak:,.0f} a second, {TIMES} times as many due")
    sent, due = found.rate(), TIMES * peak
    print(f"  the machine stood still for {1 - found.awake:.0%} of the time, which is not counted")
    print(f"  sent {sent:,.0f} a second over {case.most:,} connections, {sent / due:.0%} of those")
    print(f"  answered {found.goodput():,.0f} a second, {goodput:.0%} of the most; {lost} lost")
    left = _left(case, found, peak)
    print(f"  answered {goodput / left:.0%} of what is left of the core")
    for status, name in ((200, "an answer"), (503, "a refusal")):
        half, most = (found.percentile(status, share) * 1e3 for share in (0.5, 0.99))
        print(f"  {name}: {half:.1f} ms, p99 {most:.1f} ms ({len(found.times.get(status, ())):,})")
    print(f"  health checks: {len(checks)}, {unhealthy} failed, p99 {slow_check * 1e3:.1f} ms")
    print(f"  recovered after {recovery:.2f} s; memory {sum(running.pss().values()):.0f} MB")
    kept = not lost and not unhealthy and recovery <= RECOVERED_SECONDS
    kept = kept and goodput >= case.goodput
    kept = kept and found.percentile(503, 0.99) <= case.refused
    odd = {status for status in found.times if status not in (0, 200, 503)}
    return 0 if kept and not odd else 1


if __name__ == "__main__":
    sys.exit(main())
