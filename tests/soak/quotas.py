"""Quotas while workers and Redis are killed and stopped: ``python -m tests.soak.quotas``.

Clients ask for more than is allowed, from four addresses. First workers are killed, and stopped for
a while, at random: no address may be let in more often than its rate and its burst allow. Then two
services share their quotas by a Redis that is killed, stopped, and started again empty: no request
may fail, nor wait. Exit code 1 if anything is not as it should be.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from benchmarks.processes import Running, free_port
from tests.soak.serving import JSON, ROOT, wait_until_ready
from tests.soak.threads import asking
from tests.support.models import PLAIN, publish
from tests.support.redis_server import RedisServer

CLIENTS = 12
ADDRESSES = 4
RATE, BURST = 50, 100
BODY = b'{"x":[1,2,0.5]}'
STOPPED_SECONDS = 0.3
SLOW_SECONDS = 2.0


@dataclass
class Recorded:
    """What became of all requests.

    Attributes:
        statuses: how many had each.
        let_in: how many were answered with 200, by address.
        lost: how many had no answer.
        slowest: seconds that one took.
        acts: what was done to processes.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    let_in: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    slowest: float = 0.0
    acts: Counter[str] = field(default_factory=Counter)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.quotas", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of each of the two parts")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        publish(models, "tiny", PLAIN, linear=True)
        wrong = _workers(models, options.seconds, draw)
        if shutil.which("redis-server"):
            wrong += _redis(models, options.seconds, draw)
        else:
            print("redis-server is not installed: its part is left out")
    for text in wrong:
        print(f"wrong: {text}")
    return 1 if wrong else 0


def _workers(models: Path, seconds: float, draw: random.Random) -> list[str]:
    with _service(models) as (running, port):
        begin = time.monotonic()

        def act(recorded: Recorded) -> None:
            worker = draw.choice(running.processes()[1:])
            with suppress(ProcessLookupError):
                if draw.random() < 0.3:
                    recorded.acts["workers killed"] += 1
                    os.kill(worker, signal.SIGKILL)
                else:
                    recorded.acts["workers stopped"] += 1
                    os.kill(worker, signal.SIGSTOP)
                    time.sleep(STOPPED_SECONDS)
                    os.kill(worker, signal.SIGCONT)

        recorded = _storm([port], seconds, act)
        most = int((time.monotonic() - begin) * RATE) + BURST
    _report("workers killed and stopped", recorded)
    print(f"  let in of each address: {sorted(recorded.let_in.values())}, at most {most}")
    stopped = recorded.acts["workers stopped"]  # each may have asked before it was stopped
    wrong = [f"{n} of {most}" for n in recorded.let_in.values() if n > most + stopped]
    return wrong + _failures(recorded)


def _redis(models: Path, seconds: float, draw: random.Random) -> list[str]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = stack.enter_context(RedisServer(folder))
        ports = [
            stack.enter_context(_service(models, ORDINATE_LIMITS_URL=redis.url))[1]
            for _ in range(2)
        ]

        def act(recorded: Recorded) -> None:
            if draw.random() < 0.5:
                recorded.acts["Redis killed"] += 1
                redis.kill()
                time.sleep(STOPPED_SECONDS)
                redis.start()
            else:
                recorded.acts["Redis stopped"] += 1
                redis.signal(signal.SIGSTOP)
                time.sleep(STOPPED_SECONDS)
                redis.signal(signal.SIGCONT)
            time.sleep(1.5)  # for it to be found again

        recorded = _storm(ports, seconds, act)
    _report("Redis killed and stopped", recorded)
    print(f"  let in of each address: {sorted(recorded.let_in.values())}")
    lost = [f"{recorded.lost} requests were lost"] if recorded.lost else []
    slow = [f"one took {recorded.slowest:.1f} s"] if recorded.slowest > SLOW_SECONDS else []
    return lost + slow + _failures(recorded)


@contextmanager
def _service(models: Path, **env: str) -> Iterator[tuple[Running, int]]:
    """A service of two workers with quotas, and its port."""
    port = free_port()
    settings = {
        "ORDINATE_MODELS": str(models),
        "ORDINATE_WORKERS": "2",
        "ORDINATE_LIMIT_ADDRESS_REQUESTS": f"{RATE}/second:{BURST}",
        "ORDINATE_TRUSTED_PROXIES": "127.0.0.1",
        "PORT": str(port),
    }
    command = [sys.executable, "-m", "gunicorn", "wsgi:app"]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with Running(command, ROOT, os.environ | settings | env, "0-1", log) as running:
            wait_until_ready(port)
            yield running, port


def _storm(ports: list[int], seconds: float, act: Callable[[Recorded], None]) -> Recorded:
    recorded, stop, lock = Recorded(), threading.Event(), threading.Lock()
    works = [partial(_ask, ports, number, recorded, stop, lock) for number in range(CLIENTS)]
    with asking(stop, works):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.5)
            act(recorded)
    return recorded


def _ask(
    ports: list[int], number: int, recorded: Recorded, stop: threading.Event, lock: threading.Lock
) -> None:
    address = f"198.51.100.{number % ADDRESSES}"
    port = ports[number // ADDRESSES % len(ports)]
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    while not stop.wait(0.002):
        begin = time.monotonic()
        try:
            connection.request("POST", "/predict", BODY, JSON | {"X-Forwarded-For": address})
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException):
            connection.close()
            with lock:
                recorded.lost += 1
            continue
        with lock:
            recorded.statuses[answer.status] += 1
            recorded.let_in[address] += answer.status == 200
            recorded.slowest = max(recorded.slowest, time.monotonic() - begin)
    connection.close()


def _failures(recorded: Recorded) -> list[str]:
    others = {status: n for status, n in recorded.statuses.items() if status not in (200, 429)}
    return [f"{n} answers had the status {status}" for status, n in others.items()]


def _report(title: str, recorded: Recorded) -> None:
    acts = ", ".join(f"{count} {what}" for what, count in sorted(recorded.acts.items()))
    statuses = ", ".join(f"{n:,} x {status}" for status, n in sorted(recorded.statuses.items()))
    print(f"{title}: {acts}")
    print(f"  {statuses}; {recorded.lost} lost; the slowest took {recorded.slowest:.2f} s")


if __name__ == "__main__":
    sys.exit(main())
