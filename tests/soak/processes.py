"""Processes that are killed, stopped, told to go, reloaded: ``python -m tests.soak.processes``.

All under load, with the shipped settings but for the name of the application, which has an address
that takes as long as it is asked to. What was sent must be answered, but for what a killed worker
had in its hands, and the service must be whole again within three seconds. Exit code 1 if not.
"""

import argparse
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

from app.compiled.building import installed
from benchmarks.processes import Running, free_port
from tests.soak.loading import BODY, JSON, Ask, Load
from tests.soak.serving import ROOT, wait_until_ready
from tests.support.faulty import FAULTY
from tests.support.models import PLAIN, publish

BACK_SECONDS = 3.0
CLOCK = Path(__file__).parent / "wallclock.c"
DAY = 86_400
SLOW = Ask("/faults/sleep?seconds=0.3")
BUSY = (Ask(), Ask(), Ask(anew=True), SLOW)
ARRIVING = (Ask(anew=True, apart=0.03),) * 4
WORKERS = 3


class Wrong(Exception):
    """Something is not as it must be."""


def must(holds: bool, text: str) -> None:
    """Raises Wrong where it does not hold."""
    if not holds:
        raise Wrong(text)


class Place:
    """A folder with a model, and the services that are started on it.

    Args:
        folder: for all that is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.models = folder, folder / "models"
        self.port = free_port()
        self.publish(0)

    def publish(self, seed: int) -> int:
        """One more version; its number."""
        return publish(self.models, "tiny", PLAIN, seed, linear=True).version

    @contextmanager
    def service(
        self, settings: dict[str, str] | None = None, log: Path | None = None
    ) -> Iterator[Running]:
        """A service on the same port each time."""
        env = os.environ | {"ORDINATE_MODELS": str(self.models), "PORT": str(self.port)}
        env |= {"ORDINATE_WORKERS": str(WORKERS), "ORDINATE_ACCESS_LOG": "on"}
        env |= settings or {}
        command = [sys.executable, "-m", "gunicorn", FAULTY]
        with Running(command, ROOT, env, "0-1", log or self.folder / "service.log") as running:
            wait_until_ready(self.port)
            wait_for(lambda: len(workers(running)) == WORKERS)
            with running.preferred():  # what else the machine does is not what is measured
                yield running


def workers(running: Running) -> list[int]:
    """Ids of the workers that are there."""
    return [each for each in running.processes() if each != running.leader]


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> float:
    """Wait until it holds; after how many seconds it did. Raises Wrong."""
    begin = time.monotonic()
    while not condition():
        must(time.monotonic() - begin < seconds, f"not within {seconds:g} s")
        time.sleep(0.01)
    return time.monotonic() - begin


def kills(place: Place, seconds: float) -> str:
    """Kill -9 a random worker every second."""
    draw, back, when = random.Random(1), [0.0], []
    with place.service() as running, Load(place.port, BUSY) as load:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            victim = draw.choice(workers(running))
            when.append(time.monotonic())
            os.kill(victim, signal.SIGKILL)
            back.append(wait_for(lambda gone=victim: _is_back(running, gone)))  # type: ignore[misc]
            time.sleep(max(0.0, when[-1] + 1 - time.monotonic()))
    unexplained = [
        begin for begin, _ in load.lost if not any(begin - 0.5 < kill < begin + 1 for kill in when)
    ]
    must(not unexplained, f"{len(unexplained)} requests lost without a kill")
    must(len(load.lost) <= len(BUSY) * len(when), "more were lost than were in flight")
    must(not load.wrong, f"{dict(load.answers)}")
    must(max(back) <= BACK_SECONDS, f"a worker was away for {max(back):.1f} s")
    return (
        f"{len(when)} kills, {load.answers['200']:,} answers, {len(load.lost)} lost with a worker, "
        f"{WORKERS} workers again after {max(back):.2f} s at most"
    )


def _is_back(running: Running, gone: int) -> bool:
    found = workers(running)
    return gone not in found and len(found) == WORKERS


def master(place: Place, _: float) -> str:
    """Kill -9 the master; the next start must get the port."""
    with place.service() as running, Load(place.port, (SLOW,)):
        left = workers(running)
        os.kill(running.leader, signal.SIGKILL)
        gone = wait_for(lambda: not any(Path(f"/proc/{pid}/fd").exists() for pid in left))
        begin = time.monotonic()
        with place.service():
            bound = time.monotonic() - begin
    return f"the workers were gone after {gone:.2f} s, the next service ready {bound:.2f} s later"


def stopped(place: Place, _: float) -> str:
    """SIGSTOP a worker: it takes no abort, so that only a kill ends it."""
    timeout = 5
    with place.service({"ORDINATE_TIMEOUT": str(timeout)}) as running:
        victim = workers(running)[0]
        os.kill(victim, signal.SIGSTOP)
        with Load(place.port, (Ask(anew=True),) * 4) as load:
            replaced = wait_for(lambda: _is_back(running, victim))
    must(not load.lost and not load.wrong, f"{load.lost[:3]} {dict(load.answers)}")
    must(replaced <= timeout + BACK_SECONDS, f"replaced only after {replaced:.1f} s")
    return (
        f"replaced after {replaced:.1f} s (ORDINATE_TIMEOUT={timeout}); meanwhile the others gave "
        f"{load.answers['200']:,} answers on new connections, the slowest {load.slowest:.2f} s"
    )


def terms(place: Place, _: float) -> str:
    """SIGTERM, twenty times."""
    answers, times = 0, []
    for _number in range(20):
        with place.service() as running, Load(place.port, BUSY * 2 + ARRIVING) as load:
            time.sleep(0.5)
            begin = time.monotonic()
            code = _ended(running)
            times.append(time.monotonic() - begin)
        must(code == 0, f"exit code {code}")
        must(not load.lost, f"lost: {load.lost[:3]}")
        load.answers.pop("refused", None)
        must(not load.wrong, f"{dict(load.answers)}")
        answers += load.answers["200"]
    return f"20 times, {answers:,} answers, none lost, exit code 0, {max(times):.1f} s at most"


def _ended(running: Running) -> int:
    os.kill(running.leader, signal.SIGTERM)
    return running.wait(20)


def reloads(place: Place, _: float) -> str:
    """SIGHUP, ten times."""
    with place.service() as running, Load(place.port, BUSY * 2 + ARRIVING) as load:
        for _number in range(10):
            old = set(workers(running))
            os.kill(running.leader, signal.SIGHUP)
            wait_for(lambda gone=old: not gone & set(workers(running)))  # type: ignore[misc]
    must(not load.lost and not load.wrong, f"{load.lost[:3]} {dict(load.answers)}")
    return f"10 times, {load.answers['200']:,} answers, none lost, no connection refused"


def clock(place: Place, _: float) -> str:
    """The wall clock moved by a day, forward and back, for the service alone."""
    told = place.folder / "clock"
    told.write_bytes(struct.pack("q", 0))
    settings = {"LD_PRELOAD": _wallclock(place.folder), "WALLCLOCK": str(told)}
    settings |= {"ORDINATE_TIMEOUT": "5"}
    shown = []
    with place.service(settings) as running, Load(place.port, BUSY) as load:
        before = workers(running)
        for offset in (DAY, -DAY, 0):
            with told.open("r+b") as file:
                file.write(struct.pack("q", offset))
            wait_for(lambda to=offset: abs(_date(place.port) - time.time() - to) < 5)  # type: ignore[misc]
            shown.append(offset)
            version = place.publish(offset % 7)
            wait_for(lambda new=version: _version(place.port) == new, 5)  # type: ignore[misc]
            time.sleep(7)  # longer than a worker without a heartbeat would live
        must(workers(running) == before, "a worker was replaced")
    must(not load.lost and not load.wrong, f"{load.lost[:3]} {dict(load.answers)}")
    return f"by {shown} s: {load.answers['200']:,} answers, all right; no worker replaced"


def _wallclock(folder: Path) -> str:
    """What moves the clock, compiled."""
    library = folder / "wallclock.so"
    options = ["-O2", "-shared", "-fPIC", str(CLOCK), "-o", str(library)]
    subprocess.run([*installed(), *options], check=True)
    return str(library)


def full(place: Place, _: float) -> str:
    """A log disk that is full."""
    with place.service(log=Path("/dev/full")), Load(place.port, BUSY) as load:
        time.sleep(5)
    must(not load.lost and not load.wrong, f"{load.lost[:3]} {dict(load.answers)}")
    return f"{load.answers['200']:,} answers without a log"


def _date(port: int) -> float:
    answer = _asked(port)
    return parsedate_to_datetime(str(answer.headers["Date"])).timestamp()


def _version(port: int) -> int:
    return int(str(_asked(port).headers["X-Model"]).partition("/")[2])


def _asked(port: int) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/predict", BODY, JSON)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


ROWS = (kills, master, stopped, terms, reloads, clock, full)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.processes", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="for which workers are killed")
    parser.add_argument("--only", default="", help="one of " + ", ".join(r.__name__ for r in ROWS))
    options = parser.parse_args(arguments)
    code = 0
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        for row in ROWS:
            if options.only not in row.__name__:
                continue
            try:
                print(f"{row.__name__}: {row(place, options.seconds)}", flush=True)
            except Wrong as error:
                code = 1
                print(f"{row.__name__}: wrong: {error}", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
