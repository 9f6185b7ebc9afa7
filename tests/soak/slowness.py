"""Slow clients by the thousand, and a healthy one: ``python -m tests.soak.slowness``.

The shipped settings, two workers, no proxy. While crowds drip, do not read, sit idle, come and go
or have large bodies explained to them, and under the four attacks of slowhttptest, a healthy client
asks 500 times a second over eight connections. None of its requests may fail, its 99th percentile
may double, whoever drips must be sent away at the deadline, and all descriptors must come back.
Exit code 1 if not.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import PREFERRED, Running, free_port
from tests.soak.flooding import Flood, flood
from tests.soak.serving import ROOT, ROW, wait_until_ready
from tests.support.models import PLAIN, publish

CONNECTIONS, RATE = 8, 500.0
QUIET_SECONDS, CROWD_SECONDS = 20.0, 45.0
DEADLINE_SECONDS = 30 + 2
"""What the shipped settings give a request, and what may pass until that is noticed."""

ARRIVED_SECONDS = 10.0
"""Until all of a crowd are there, and those who do not read have what their connections hold: to
answer them is work like any other, and only what comes then is slowness."""

ELSEWHERE = ("nice", "-n", str(-PREFERRED))
"""Who crowds does so from other machines: that work goes behind the service's and the healthy
client's on this one."""

SLOWER = 2.0
NOISE_SECONDS = 0.002
"""A 99th percentile below this is not compared: it is the machine's."""

AT_WORK_SECONDS = 0.05
"""Most that the 99th percentile may be while others have large bodies explained to them: that takes
its time, and a part of it the whole interpreter."""

CROWDS = (
    ("heads=500", "bodies=500", "readers=200"),
    ("idle=2000", "churn=50"),
    ("wrong=20",),
)
ATTACKS = {
    "slow headers (-H)": ("-H", "-t", "GET", "-i", "5", "-x", "24", "-u", "{}/healthz"),
    "slow bodies (-B)": (
        "-B",
        "-t",
        "POST",
        "-i",
        "5",
        "-s",
        "8192",
        "-x",
        "10",
        "-u",
        "{}/predict",
    ),
    "ranges (-R)": ("-R", "-t", "HEAD", "-a", "10", "-b", "3000", "-u", "{}/openapi.json"),
    "slow reading (-X)": (
        *("-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3"),
        *("-u", "{}/openapi.json"),
    ),
}


@dataclass
class Verdict:
    """What must not be, as it was found."""

    wrong: list[str] = field(default_factory=list)

    def must(self, holds: bool, text: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.wrong.append(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.slowness", description=__doc__)
    parser.add_argument("--crowd-seconds", type=float, default=CROWD_SECONDS)
    parser.add_argument("--only", default="", help="crowds or attacks whose name has this in it")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        publish(models, "tiny", PLAIN, linear=True)
        port = free_port()
        env = os.environ | {"ORDINATE_MODELS": str(models), "PORT": str(port)}
        command = [sys.executable, "-m", "gunicorn", "wsgi:app"]
        env |= {"ORDINATE_WORKERS": "2"}
        with Running(command, ROOT, env, "0-1", Path(folder) / "service.log") as running:
            wait_until_ready(port)
            with running.preferred():
                return _all(running, port, options.crowd_seconds, options.only)


def _all(running: Running, port: int, seconds: float, only: str) -> int:
    verdict = Verdict()
    _healthy(port, 3)
    quiet = _healthy(port, QUIET_SECONDS)
    base = _sockets(running)
    _tell("alone", quiet)
    for crowd in CROWDS:
        if only not in " ".join(crowd):
            continue
        _crowd(running, port, seconds, crowd, (quiet, base), verdict)
    if shutil.which("slowhttptest") is None:
        print("slowhttptest: skipped, it is not installed (Debian has it)")
    else:
        for name in filter(lambda each: only in each, ATTACKS):
            _attack(running, port, seconds, name, (quiet, base), verdict)
    print(f"wrong: {'; '.join(verdict.wrong) or 'none'}")
    return 1 if verdict.wrong else 0


def _healthy(port: int, seconds: float) -> Flood:
    return flood(port, ROW, connections=CONNECTIONS, rate=RATE, seconds=seconds, core="1")


def _crowd(
    running: Running,
    port: int,
    seconds: float,
    kinds: Sequence[str],
    before: tuple[Flood, int],
    verdict: Verdict,
) -> None:
    command = [sys.executable, "-m", "tests.soak.crowding", str(port), str(seconds), *kinds]
    with subprocess.Popen(
        [*ELSEWHERE, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as crowd:
        time.sleep(ARRIVED_SECONDS)
        found = _healthy(port, seconds - ARRIVED_SECONDS - 5)
        told, _ = crowd.communicate(timeout=seconds + 60)
    at_work = AT_WORK_SECONDS if any(each.startswith("wrong") for each in kinds) else 0.0
    _compare(" ".join(kinds), found, before[0], verdict, at_work)
    for each in json.loads(told):
        print(
            "  {kind}: {opened} opened, {closed} sent away, the last after {last} s".format(**each)
        )
        verdict.must(not each["failed"], f"{each['failed']} {each['kind']} could not connect")
        if each["kind"] == "wrong":
            verdict.must(not each["closed"], f"{each['closed']} were not told what is wrong")
        if each["kind"] in ("heads", "bodies", "readers"):
            verdict.must(each["closed"] == each["opened"], f"{each['kind']} are still there")
            most = DEADLINE_SECONDS + (ARRIVED_SECONDS if each["kind"] == "readers" else 0)
            verdict.must(each["last"] <= most, f"{each['kind']} stayed too long")
    _settle(running, before[1], verdict)


def _attack(
    running: Running,
    port: int,
    seconds: float,
    name: str,
    before: tuple[Flood, int],
    verdict: Verdict,
) -> None:
    url = f"http://127.0.0.1:{port}"
    command = ["slowhttptest", "-c", "1000", "-r", "500", "-p", "3", "-l", str(int(seconds))]
    command += [option.format(url) for option in ATTACKS[name]]
    with subprocess.Popen([*ELSEWHERE, *command], stdout=subprocess.PIPE, text=True) as attack:
        time.sleep(3)  # until all are there
        found = _healthy(port, seconds - 8)
        told, _ = attack.communicate(timeout=seconds + 60)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", told)
    available = re.findall(r"service available:\s*(YES|NO)", plain)
    _compare(f"slowhttptest, {name}", found, before[0], verdict)
    print(f"  its probe: available {available.count('YES')} times, not {available.count('NO')}")
    verdict.must("NO" not in available and bool(available), f"{name}: not available")
    _settle(running, before[1], verdict)


def _compare(name: str, found: Flood, quiet: Flood, verdict: Verdict, at_work: float = 0.0) -> None:
    _tell(name, found)
    failed = sum(len(times) for status, times in found.times.items() if status != 200)
    verdict.must(not failed, f"{name}: {failed} requests of the healthy client failed")
    most = max(at_work, NOISE_SECONDS, SLOWER * quiet.percentile(200, 0.99))
    verdict.must(found.percentile(200, 0.99) <= most, f"{name}: the healthy client is slower")


def _tell(name: str, found: Flood) -> None:
    half, most = (found.percentile(200, share) * 1e3 for share in (0.5, 0.99))
    statuses = {status: len(times) for status, times in found.times.items()}
    print(f"{name}: {half:.2f} ms, p99 {most:.2f} ms, {statuses}, {found.unsent} late")


def _settle(running: Running, base: int, verdict: Verdict) -> None:
    """Wait until the connections of the crowd are gone on the service's side as well."""
    until = time.monotonic() + 10
    while (found := _sockets(running)) > base and time.monotonic() < until:
        time.sleep(0.1)
    print(f"  sockets: {base} before, {found} after")
    verdict.must(found <= base, f"{found - base} sockets are left")


def _sockets(running: Running) -> int:
    """Sockets of all processes of the service, when the healthy client has gone."""
    time.sleep(1)
    count = 0
    for process in running.processes():
        with suppress(OSError):
            for each in (Path("/proc") / str(process) / "fd").iterdir():
                with suppress(OSError):
                    count += os.readlink(each).startswith("socket:")
    return count


if __name__ == "__main__":
    sys.exit(main())
