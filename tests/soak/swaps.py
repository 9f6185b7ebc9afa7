"""Publishes while the service is at its limit: ``python -m tests.soak.swaps``.

One client keeps both workers busy, others watch. No request may fail, no worker may go back to an
older version, all must serve a new one within two seconds, and memory must stay what it was. Exit
code 1 if not.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.processes import Running, free_port
from benchmarks.wrk import Load
from benchmarks.wrk import run as wrk_run
from tests.soak.serving import JSON, ROOT, ROW, wait_until_ready
from tests.soak.watching import Reading, growth, read
from tests.support.models import PLAIN, publish

WORKERS = 2
WATCHERS = 8
QUIET_SECONDS = 10
WARM = 3
"""Versions that are taken over before memory is looked at for the first time."""

TAKEN_OVER_SECONDS = 2.0
MORE = 0.05
"""Most that memory may grow."""

SLOWER = 1.5
"""How many times the 99th percentile may be what it is while as many are published elsewhere."""


@dataclass
class Watcher:
    """One connection, and so one worker: which versions it answered with, and when first.

    Attributes:
        port: of the service.
        first: when a version was seen first, by `time.monotonic`.
        wrong: what must not be.
    """

    port: int
    first: dict[int, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def watch(self, stop: threading.Event) -> None:
        """Ask again and again until told to stop."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        newest = 0
        while not stop.wait(0.02):
            connection.request("POST", "/predict", b'{"x":[1,2,0.5]}', JSON)
            answer = connection.getresponse()
            answer.read()
            version = int((answer.headers["X-Model"] or "/0").partition("/")[2])
            if answer.status != 200:
                self.wrong.append(f"status {answer.status}")
            if version < newest:
                self.wrong.append(f"version {version} after {newest}")
            newest = max(newest, version)
            self.first.setdefault(version, time.monotonic())
        connection.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.swaps", description=__doc__)
    parser.add_argument("--publishes", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=30, help="in which they happen")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        _publish(models, 0)
        port = free_port()
        env = os.environ | {"ORDINATE_MODELS": str(models), "PORT": str(port)}
        env |= {"ORDINATE_WORKERS": str(WORKERS), "ORDINATE_ACCESS_LOG": "on"}
        command = [sys.executable, "-m", "gunicorn", "wsgi:app"]
        with Running(command, ROOT, env, "0-1", Path(folder) / "service.log") as running:
            wait_until_ready(port)
            return _storm(running, models, port, options)


def _publish(models: Path, seed: int) -> int:
    return publish(models, "tiny", PLAIN, seed, linear=True).version


def _storm(running: Running, models: Path, port: int, options: argparse.Namespace) -> int:
    for number in range(WARM):
        _publish(models, options.publishes + number)
        wrk_run(port, [ROW], 2, "0-1")
    before = read(running.processes(), 0.0)
    stop, watchers = threading.Event(), [Watcher(port) for _ in range(WATCHERS)]
    with ThreadPoolExecutor(WATCHERS) as threads:
        watching = [threads.submit(each.watch, stop) for each in watchers]
        # Whoever publishes takes its share of the cores, also where nobody looks.
        elsewhere, fewer = models.parent / "elsewhere", options.publishes * QUIET_SECONDS
        quiet, _ = _loaded(port, elsewhere, fewer // options.seconds, QUIET_SECONDS)
        load, published = _loaded(port, models, options.publishes, options.seconds)
        stop.wait(TAKEN_OVER_SECONDS)
        stop.set()
        for each in watching:
            each.result()
    after = read(running.processes(), 0.0)
    return _report(quiet, load, watchers, published, (before, after))


def _loaded(port: int, models: Path, publishes: int, seconds: int) -> tuple[Load, dict[int, float]]:
    """What became of the requests while versions were published, and when each of these was."""
    published: dict[int, float] = {}
    with ThreadPoolExecutor(1) as thread:
        loaded = thread.submit(wrk_run, port, [ROW], seconds, "0-1")
        for number in range(publishes):
            version = _publish(models, number + 1)
            published[version] = time.monotonic()
            time.sleep(seconds / publishes / 2)
        return loaded.result(), published


def _report(
    quiet: Load,
    load: Load,
    watchers: Sequence[Watcher],
    published: dict[int, float],
    held: tuple[Reading, Reading],
) -> int:
    wrong = [text for each in watchers for text in each.wrong]
    wrong += [f"{load.failed} requests failed"] if load.failed else []
    slowest = max(_taken_over(each, published) for each in watchers)
    slower = load.p99 / quiet.p99
    print(f"{len(published)} versions published under {load.requests:,} requests")
    print(f"wrong: {'; '.join(wrong[:10]) or 'none'}")
    print(f"p99: {load.p99:.0f} us, and {quiet.p99:.0f} us while others were published elsewhere:")
    print(f"  {slower:.2f} times as much, of {SLOWER}")
    print(f"taken over by all: after {slowest:.2f} s of {TAKEN_OVER_SECONDS}")
    before, after = held
    grown = growth(before.memory, after.memory)
    print(f"memory: {before.memory:.1f} -> {after.memory:.1f} MB, {grown:+.1%} of +{MORE:.0%}")
    print(f"descriptors: {before.descriptors} -> {after.descriptors}")
    print(f"threads: {before.threads} -> {after.threads}")
    more = after.descriptors > before.descriptors or after.threads > before.threads
    kept = not wrong and not more and slower <= SLOWER and slowest <= TAKEN_OVER_SECONDS
    return 0 if kept and grown <= MORE else 1


def _taken_over(watcher: Watcher, published: dict[int, float]) -> float:
    """The longest that a worker served none as new as what was published, in seconds."""
    seen = sorted(watcher.first.items())
    waits = []
    for version, when in published.items():
        times = [first for found, first in seen if found >= version]
        waits.append(min(times) - when if times else float("inf"))
    return max(waits)


if __name__ == "__main__":
    sys.exit(main())
