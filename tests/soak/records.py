"""Kills workers while predictions are kept: ``python -m tests.soak.records``.

Clients ask under ids of their own and note when they were answered; a worker is killed every
second. In the end the prediction log is read. Whatever was answered must be in it, once and as it
was, unless a worker was killed within the second after, and no file may be damaged. Exit code 1 if
not.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from app.journal import Record, log_files, read
from benchmarks.processes import Running, free_port
from tests.soak.serving import JSON, ROOT, wait_until_ready
from tests.soak.threads import asking
from tests.support.journal import Kept
from tests.support.models import PLAIN, publish

CLIENTS = 4
LOST_SECONDS = 1.0
"""What was answered so long before a worker was killed may be lost with it."""

Answered = dict[str, tuple[float, float, bytes]]
"""When each request was sent and its answer read, by `time.monotonic`, and what that was."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.records", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        kept, models, port = Kept.below(place), place / "models", free_port()
        publish(models, "tiny", PLAIN, linear=True)
        settings = {"ORDINATE_MODELS": str(models), "PORT": str(port), "ORDINATE_WORKERS": "3"}
        command = [sys.executable, "-m", "gunicorn", "wsgi:app"]
        env = os.environ | settings | kept.settings
        with Running(command, ROOT, env, "0-1", place / "service.log") as running:
            wait_until_ready(port)
            with running.preferred():  # what is measured is the log, not who else is at work here
                answered, kills = _storm(running, port, options.seconds)
        return _report(kept, answered, kills)


def _storm(running: Running, port: int, seconds: float) -> tuple[Answered, list[float]]:
    """Ask and kill for so long; when which request was answered, and when workers were killed."""
    answered: Answered = {}
    stop, kills = threading.Event(), []
    works = [partial(_ask, port, f"client-{n}", answered, stop) for n in range(CLIENTS)]
    with asking(stop, works):
        draw, until = random.Random(1), time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(1)
            worker = draw.choice(running.processes()[1:])
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
            kills.append(time.monotonic())
    return answered, kills


def _ask(port: int, name: str, answered: Answered, stop: threading.Event) -> None:
    connection, number = HTTPConnection("127.0.0.1", port, timeout=30), 0
    while not stop.is_set():
        number += 1
        request_id = f"{name}-{number}"
        body = json.dumps({"x": [number % 7, number % 5, 0.5]})
        begin = time.monotonic()
        try:
            connection.request("POST", "/predict", body, JSON | {"X-Request-Id": request_id})
            answer = connection.getresponse()
            got = answer.read()
        except (OSError, HTTPException):  # its worker was killed
            connection.close()
            continue
        assert answer.status == 200, got
        answered[request_id] = begin, time.monotonic(), got


def _report(kept: Kept, answered: Answered, kills: list[float]) -> int:
    found: Counter[str] = Counter()
    wrong: list[str] = []
    unended = 0
    for path in log_files(kept.folder):
        for each in read(path, kept.key):
            if isinstance(each, Record):
                found[each.request_id] += 1
                if each.answer != answered.get(each.request_id, (0, 0, each.answer))[2]:
                    wrong.append("another answer than the client got")
            elif each.is_damage:
                wrong.append(each.text)
            else:
                unended += 1
    wrong += ["kept twice" for count in found.values() if count > 1]
    lost = [(sent, got) for each, (sent, got, _) in answered.items() if each not in found]
    # An answer may be read after its worker was killed, so it counts from when it was asked for.
    ages = [min((kill - got for kill in kills if kill >= sent), default=1e9) for sent, got in lost]
    wrong += ["lost without a kill" for age in ages if age > LOST_SECONDS]
    files = len(log_files(kept.folder))
    print(f"{len(kills)} workers killed, {files} files, of which {unended} lack their end")
    print(f"{len(answered):,} answered, {sum(found.values()):,} records, {len(lost):,} lost")
    print(f"lost within {max(ages, default=0.0):.3f} s before a kill at most")
    print(f"wrong: {len(wrong)}")
    for text, count in Counter(wrong).most_common(10):
        print(f"  {count} x {text}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
