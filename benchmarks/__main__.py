"""Runs the benchmarks: ``python -m benchmarks --help``."""

import argparse
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import archive, circumstances, environments, report, session, work, wrk
from benchmarks.processes import stolen_seconds
from benchmarks.rounds import Cores
from benchmarks.services import DATA, FULL, PLACE, QUICK, ROOT, Service
from benchmarks.summary import lines

RECORD = PLACE / "results.json"
QUICK_WORKS = {"1", "1,000", "1 by name", "1,000 by name"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns its exit code."""
    if platform.system() != "Linux":
        raise SystemExit("error: the benchmarks read CPU time and memory from Linux's /proc")
    options = _parse(arguments)
    # What a session changed, it gives back, also when it is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if options.again:
        _tell(archive.load(RECORD), options.write)
        return 0
    results = _measure(options)
    if not options.quick:
        archive.save(results, RECORD)
    _tell(results, options.write)
    return 0


def _tell(results: session.Results, write: bool) -> None:
    print("\n".join(lines(results)))
    if write:
        report.write(results, ROOT / "docs")


def _measure(options: argparse.Namespace) -> session.Results:
    wrk.find_or_install()
    data, target = environments.train(options.table, options.target)
    skipped = _set_up(options.services, data, target)
    services = [each for each in options.services if each.name not in skipped]

    # What watches stays off the services' core
    own = ("taskset", "-cp", options.client, str(os.getpid()))
    subprocess.run(own, check=True, stdout=subprocess.DEVNULL)
    models = DATA / "models"
    works = [*work.numbers(models), *work.table(models, data, target)]
    wanted = [each for each in works if each.name in options.works]
    cores = Cores(options.server, options.client, options.isolate)
    plan = session.Plan(options.rounds, options.seconds, cores)
    begin, stolen = time.monotonic(), stolen_seconds()
    results = session.run(services, wanted, plan)
    share = (stolen_seconds() - stolen) / (time.monotonic() - begin)
    results.skipped |= skipped
    results.circumstances = circumstances.tell(services, plan, f"{data.name}, target {target}")
    results.circumstances["stolen by the hypervisor"] = f"{share:.2%} of a core"
    return results


def _set_up(services: Sequence[Service], data: Path, target: str) -> dict[str, str]:
    """Set up what the services need; returns why some cannot be."""
    failed: dict[str, str] = {}
    for name in sorted({each.environment for each in services if each.environment}):
        why = environments.install(name) or environments.prepare(name, data, target)
        if why:
            failed |= {each.name: why for each in services if each.environment == name}
    return failed


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="FastAPI alone, three works")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument(
        "--again", action="store_true", help="report the last full session once more"
    )
    parser.add_argument("--rounds", type=int, help="how often each service has its turn")
    parser.add_argument(
        "--seconds", type=int, default=2, help="of load, for each work in each round"
    )
    parser.add_argument("--services", help='some of their names: "Ordinate;FastAPI"')
    parser.add_argument("--works", help='some of their names: "1;1,000"')
    parser.add_argument("--table", type=Path, help="a CSV table in place of the synthetic one")
    parser.add_argument("--target", default="credit_amount", help="its column to predict")
    parser.add_argument("--server", default="0", help="core that services run on")
    parser.add_argument("--client", default="1", help="core that the load comes from")
    parser.add_argument(
        "--isolate",
        action="store_true",
        help="latencies also while the machine's other threads are kept off the services' core",
    )
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (3 if options.quick else 5)
    known: Sequence[Service] = QUICK if options.quick else FULL
    names = options.services.split(";") if options.services else [each.name for each in known]
    options.services = [each for each in known if each.name in names]
    works = {name for each in options.services for name in each.works}
    quick = works & QUICK_WORKS if options.quick else works
    options.works = set(options.works.split(";")) if options.works else quick
    return options


if __name__ == "__main__":
    sys.exit(main())
