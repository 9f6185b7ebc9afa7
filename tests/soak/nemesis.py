"""Kills writers and workers while versions change: ``python -m tests.soak.nemesis``.

Writers publish, activate and roll back, and are killed at any moment; so are workers. Clients ask
all the while. What `current` named, and when, is recorded beside it, and each answer is compared
with that: its version must have been current within the last seconds before it was asked for, its
value must be that version's, and a request may fail only where its worker was killed. At the end
every version must be whole, and one more publish must work. Exit code 1 if not.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from app.errors import BrokenModel, UnknownModel
from app.store import Reader
from benchmarks.processes import Running, free_port
from tests.soak.serving import JSON, ROOT, wait_until_ready
from tests.soak.threads import asking
from tests.support.models import PLAIN, publish

CLIENTS = 4
STALE_SECONDS = 2.0
"""An answer may be by a version that was current so long ago, and by no older one."""

KILLED_SECONDS = 1.0
"""Connections may break for so long after a worker was killed."""

BODY = b'{"x":[1,2,0.5]}'

WRITER = """
import os, random, sys
from pathlib import Path
from app.store import Keeper
from tests.support.models import PLAIN, fitted, linear_numbers, publish

def act(root, seed):
    draw, store = random.Random(seed), Keeper(root)
    action = draw.choice(("publish", "publish", "activate", "rollback"))
    if action == "publish":
        publish(root, "tiny", PLAIN, seed, linear=True)
    elif action == "activate":
        store.activate("tiny", draw.choice(store.versions("tiny")))
    else:
        store.rollback("tiny")

for line in sys.stdin:  # each act is a process of its own, forked so that it begins at once
    child = os.fork()
    if child == 0:
        act(Path(sys.argv[1]), int(line))
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


@dataclass
class Recorded:
    """What happened, by `time.monotonic`.

    Attributes:
        current: when which version was first seen to be current.
        kills: of workers.
        answers: by status.
        wrong: what must not be.
    """

    current: list[tuple[float, int]] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def was_current(self, version: int, begin: float, end: float) -> bool:
        """Whether a version was current at any time from `begin` to `end`."""
        until = [*(when for when, _ in self.current[1:]), float("inf")]
        return any(
            found == version and when <= end and begin <= then
            for (when, found), then in zip(self.current, until, strict=True)
        )

    def fault(self, version: int, begin: float, end: float) -> str | None:
        """Why an answer between these times may not be by a version; None where it may.

        What was current for less than it takes to look again is never seen.
        """
        if self.was_current(version, begin - STALE_SECONDS, end):
            return None
        until = [when for when, _ in self.current[1:]]
        ended = [
            then for (_, found), then in zip(self.current, until, strict=False) if found == version
        ]
        if not ended:
            return f"version {version} was never seen to be current"
        return f"version {version} had not been current for {begin - max(ended):.1f} s"

    def was_killed(self, begin: float, end: float) -> bool:
        """Whether a worker was killed shortly before or while a request was under way."""
        return any(begin - KILLED_SECONDS <= when <= end for when in self.kills)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.nemesis", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        publish(models, "tiny", PLAIN, linear=True)
        port = free_port()
        env = os.environ | {"ORDINATE_MODELS": str(models), "PORT": str(port)}
        command = [sys.executable, "-m", "gunicorn", "wsgi:app"]
        log = Path(folder) / "service.log"
        with Running(command, ROOT, env | {"ORDINATE_WORKERS": "3"}, "0-1", log) as running:
            wait_until_ready(port)
            recorded = _storm(running, models, port, options)
    return _report(recorded)


def _storm(running: Running, models: Path, port: int, options: argparse.Namespace) -> Recorded:
    sys.setswitchinterval(0.0002)  # of the threads here, one must not wait for the others
    recorded, stop = Recorded(), threading.Event()
    works = [partial(_follow, models, recorded, stop)]
    works += [partial(_ask, port, models, recorded, stop)] * CLIENTS
    with asking(stop, works):
        _change(running, models, recorded, options)
        time.sleep(STALE_SECONDS)
    _look_over(models, recorded)
    return recorded


def _change(
    running: Running, models: Path, recorded: Recorded, options: argparse.Namespace
) -> None:
    """Have versions change, and writers and workers killed."""
    draw, until, number = random.Random(options.seed), time.monotonic() + options.seconds, 0
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(models)],
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as writer:
        while time.monotonic() < until:
            number += 1
            _write(writer, options.seed * 1_000_000 + number, draw)
            if draw.random() < 0.05:
                _kill_a_worker(running, recorded, draw)
        assert writer.stdin
        writer.stdin.close()


def _write(writer: subprocess.Popen[str], seed: int, draw: random.Random) -> None:
    """One act of the writer, which is killed in the middle of every second one."""
    assert writer.stdin
    assert writer.stdout
    writer.stdin.write(f"{seed}\n")
    writer.stdin.flush()
    child = int(writer.stdout.readline())
    if draw.random() < 0.5:
        time.sleep(draw.random() * 0.04)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    writer.stdout.readline()
    time.sleep(draw.random() * 0.1)


def _kill_a_worker(running: Running, recorded: Recorded, draw: random.Random) -> None:
    workers = [each for each in running.processes() if each != running.leader]
    recorded.kills.append(time.monotonic())
    with suppress(ProcessLookupError):
        os.kill(draw.choice(workers), signal.SIGKILL)
    recorded.kills.append(time.monotonic())


def _follow(models: Path, recorded: Recorded, stop: threading.Event) -> None:
    """Record what `current` names, a thousand times a second.

    Where that has to wait for a core, it misses what is current between two acts, and answers by it
    would count as wrong.
    """
    with suppress(OSError):  # not everybody may go before others
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -19)  # this thread alone
    store = Reader(models)
    while not stop.wait(0.001):
        try:
            version = store.current("tiny").version
        except (BrokenModel, UnknownModel) as error:
            recorded.wrong.append(f"current: {error.message}")
            continue
        if not recorded.current or recorded.current[-1][1] != version:
            recorded.current.append((time.monotonic(), version))


def _ask(port: int, models: Path, recorded: Recorded, stop: threading.Event) -> None:
    expected: dict[int, float] = {}
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    while not stop.wait(0.002):
        begin = time.monotonic()
        try:
            connection.request("POST", "/predict", BODY, JSON)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, HTTPException) as error:
            connection.close()
            if not recorded.was_killed(begin, time.monotonic()):
                recorded.wrong.append(f"{type(error).__name__} without a kill")
            recorded.answers["lost with a worker"] += 1
            continue
        recorded.answers[str(answer.status)] += 1
        if answer.status != 200:
            recorded.wrong.append(f"status {answer.status}: {body[:80]!r}")
            continue
        version = int((answer.headers["X-Model"] or "").partition("/")[2])
        if fault := recorded.fault(version, begin, time.monotonic()):
            recorded.wrong.append(fault)
        if json.loads(body)["y"] != expected.setdefault(version, _expected(models, version)):
            recorded.wrong.append(f"version {version} answers {body!r}")
    connection.close()


def _expected(models: Path, version: int) -> float:
    """What a version answers, by the numbers in its manifest."""
    linear = Reader(models).open("tiny", version).manifest.description.linear or {}
    y = linear["intercept"]
    for name, value in zip(PLAIN.names, (1.0, 2.0, 0.5), strict=True):
        y += linear["coefficients"][name] * value
    return float(y)


def _look_over(models: Path, recorded: Recorded) -> None:
    """What must be true of the folder in the end, after one more publish."""
    store = Reader(models)
    before = store.versions("tiny")
    made = publish(models, "tiny", PLAIN, linear=True)
    if made.version <= max(before) or store.current("tiny").version != made.version:
        recorded.wrong.append(f"one more publish made version {made.version} after {before[-1]}")
    for version in store.versions("tiny"):
        try:
            store.open("tiny", version)
        except BrokenModel as error:
            recorded.wrong.append(f"version {version}: {error.message}")
    left = [each.name for each in (models / "tiny").iterdir() if each.name.startswith(".")]
    recorded.wrong += [f"{name} is left" for name in left if name != ".lock"]


def _report(recorded: Recorded) -> int:
    changes, kills = len(recorded.current), len(recorded.kills) // 2
    print(f"{changes} changes of current, {kills} workers killed")
    for status, count in sorted(recorded.answers.items()):
        print(f"  {status}: {count:,}")
    print(f"wrong: {len(recorded.wrong)}")
    for text, count in Counter(recorded.wrong).most_common(10):
        print(f"  {count} x {text}")
    return 1 if recorded.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
