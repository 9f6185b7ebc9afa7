"""Serves everything at once for minutes, and looks what that does.

``python -m tests.soak.serving``

Good and bad requests, small ones and batches, bodies of megabytes on many connections at once,
connections that come and go. Every answer must be the one that is due, no connection may be lost,
descriptors and threads at rest must stay what they were after the first rounds, and memory must be
shown not to grow by 1% with a million answers: also by twice the standard error of what was
measured it must not, so that a short run fails. Memory that is in no file counts: what libraries
have in theirs is shared out to all programs that map them. Exit code 1 if not.
"""

import argparse
import gzip
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
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from benchmarks.processes import Running, free_port
from benchmarks.wrk import run as wrk_run
from tests.soak.threads import asking
from tests.soak.watching import Reading, read, trend
from tests.support.models import MIXED, PLAIN, ROWS, publish

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = 8
LARGE_CLIENTS = 8
JSON = {"Content-Type": "application/json"}
ROUND_SECONDS, SETTLED = 30.0, 3
"""How often the service has a rest; the rounds after which it has seen everything."""

REST_SECONDS = 2.0
"""After half a second without a request a worker gives back what it has freed."""

GROWTH, ERRORS = 0.01, 2
"""Most of its memory by which the service may grow with a million answers, and standard errors that
are added to what was measured."""

ROW = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b'Content-Length: 15\r\n\r\n{"x":[1,2,0.5]}'
)


@dataclass(frozen=True)
class Ask:
    """A request and the status that is due."""

    name: str
    status: int
    body: bytes | None = None
    path: str = "/predict"
    headers: dict[str, str] = field(default_factory=lambda: JSON)


def _rows(count: int) -> bytes:
    draw = random.Random(count)
    return json.dumps({"x": [[draw.random() for _ in range(3)] for _ in range(count)]}).encode()


NAMED = json.dumps(
    {"x": [dict(zip(MIXED.names, row, strict=True)) for row in ROWS[id(MIXED)]] * 200}
).encode()
SMALL = (
    Ask("row", 200, b'{"x":[1,2,0.5]}'),
    Ask("rows", 200, _rows(100)),
    Ask("batch", 200, _rows(2_000)),
    Ask("by name", 200, NAMED, "/models/mixed/predict"),
    Ask("pickled", 200, b'{"x":[1,2,0.5]}', "/models/pickled/predict"),
    Ask("gzip", 200, gzip.compress(_rows(500)), headers=JSON | {"Content-Encoding": "gzip"}),
    Ask("wrong value", 400, b'{"x":[1,"2",0.5]}'),
    Ask("no JSON", 400, b'{"x":[1,2,0.5'),
    Ask("deep", 400, b'{"x":' + b"[" * 5_000),
    Ask("no such model", 404, b'{"x":[1]}', "/models/absent/predict"),
    Ask("wrong type", 415, b"x=1", headers={"Content-Type": "text/plain"}),
    Ask("health", 200, None, "/healthz"),
    Ask("metrics", 200, None, "/metrics"),
    Ask("models", 200, None, "/models/tiny"),
)
LARGE = (
    Ask("3 MB", 200, _rows(50_000)),
    Ask("over the limit", 413, b" " * ((8 << 20) + 1)),
    Ask("8 MB that is wrong", 400, b'{"x":[' + b"[1,2,true]," * 90_000 + b"[1,2,3]]}"),
)


class Clients:
    """Those who ask until told to stop.

    Args:
        port: of the service.

    Attributes:
        stop: for others to set.
        works: to be done in a thread each.
        answers: by what was asked for.
        wrong: what must not be.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.stop = threading.Event()
        self.answers: Counter[str] = Counter()
        self.wrong: list[str] = []
        asked = [SMALL] * CLIENTS + [LARGE] * LARGE_CLIENTS
        self.works = [partial(self._work, asks, number) for number, asks in enumerate(asked)]

    def _work(self, asks: Sequence[Ask], seed: int) -> None:
        draw = random.Random(seed)
        while not self.stop.is_set():
            connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
            for _ in range(draw.choice((1, 10, 200))):
                ask = draw.choice(asks)
                try:
                    found = self._ask(connection, ask)
                except (OSError, HTTPException) as error:
                    self.wrong.append(f"{ask.name}: {type(error).__name__}: {error}")
                    break
                self.answers[ask.name] += 1
                if found != ask.status:
                    self.wrong.append(f"{ask.name}: {found} instead of {ask.status}")
                if self.stop.is_set() or found in (413, 400):
                    break  # such an answer may close the connection
            connection.close()

    def _ask(self, connection: HTTPConnection, ask: Ask) -> int:
        method = "GET" if ask.body is None else "POST"
        connection.request(method, ask.path, ask.body, ask.headers if ask.body else {})
        answer = connection.getresponse()
        answer.read()
        return answer.status


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.serving", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    minutes = parser.parse_args(arguments).minutes
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        publish(models, "tiny", PLAIN, linear=True)
        publish(models, "mixed", MIXED, linear=True)
        publish(models, "pickled", PLAIN)
        port = free_port()
        env = os.environ | {"ORDINATE_MODELS": str(models), "PORT": str(port)}
        command = [sys.executable, "-m", "gunicorn", "wsgi:app"]
        env |= {"ORDINATE_WORKERS": "2", "ORDINATE_MODEL": "tiny"}
        env |= {"ORDINATE_QUEUE_SECONDS": "30"}  # on a busy machine it would refuse what is due
        log = Path(folder) / "service.log"
        with Running(command, ROOT, env, "0-1", log) as running:
            wait_until_ready(port)
            return _report(*_load(running, port, minutes * 60))


def wait_until_ready(port: int) -> None:
    """Wait until the service can predict."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("error: the service does not start")


def _load(
    running: Running, port: int, seconds: float
) -> tuple[list[tuple[int, Reading]], Counter[str], list[str]]:
    """Rounds of load, and what the service holds at rest after each, with the answers by then."""
    answers: Counter[str] = Counter()
    wrong: list[str] = []
    readings: list[tuple[int, Reading]] = []
    rounds = max(SETTLED + 3, round(seconds / ROUND_SECONDS))
    begin = time.monotonic()
    for number in range(1, rounds + 1):
        clients = Clients(port)
        with asking(clients.stop, clients.works):
            while time.monotonic() - begin < seconds * number / rounds:
                load = wrk_run(port, [ROW], 2, "0-1")
                answers["row, fast client"] += load.requests
                if load.failed:
                    wrong.append(f"{load.failed} of a fast client's requests failed")
        answers += clients.answers
        wrong += clients.wrong
        time.sleep(REST_SECONDS)
        now = read(running.processes(), time.monotonic() - begin)
        readings.append((answers.total(), now))
        if sys.stderr.isatty():
            sys.stderr.write(f"\rround {number} of {rounds}, {answers.total():,} answers ")
    return readings, answers, wrong


def _report(
    readings: Sequence[tuple[int, Reading]], answers: Counter[str], wrong: Sequence[str]
) -> int:
    print(f"answers: {answers.total():,}, {len(wrong)} of them wrong or lost")
    for name, count in sorted(answers.items()):
        print(f"  {name:20} {count:,}")
    for text, count in Counter(wrong).most_common(10):
        print(f"  wrong: {count} x {text}")
    more = False
    for name in ("memory", "anonymous", "descriptors", "threads"):
        course = [getattr(each, name) for _, each in readings]
        print(f"{name} at rest: {' '.join(f'{each:.0f}' for each in course)}")
        more = more or (name in ("descriptors", "threads") and course[-1] > max(course[:SETTLED]))
    settled = readings[SETTLED:]
    millions, held = [total / 1e6 for total, _ in settled], [each.anonymous for _, each in settled]
    slope, error = trend(millions, held)
    print(
        f"anonymous since it settled: {slope:+.2%} ± {error:.2%} with each million answers", end=" "
    )
    print(f"(± standard error), over {millions[-1] - millions[0]:.1f} millions")
    return 1 if wrong or more or slope + ERRORS * error > GROWTH else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"error: {error}") from error
