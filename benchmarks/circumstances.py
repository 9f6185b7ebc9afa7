"""Under which circumstances a session ran: machine, versions, commit, command."""

import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.environments import versions
from benchmarks.services import PLACE, ROOT, Service
from benchmarks.session import Plan

_PACKAGES = {
    None: ("gunicorn", "numpy", "orjson", "scikit-learn"),
    "fastapi": ("fastapi", "uvicorn", "pydantic", "pandas", "scikit-learn"),
    "flask": ("flask", "gunicorn"),
    "mlserver": ("mlserver", "fastapi"),
    "mlflow": ("mlflow", "fastapi"),
    "litserve": ("litserve",),
    "bentoml": ("bentoml",),
}
"""What is told of each environment."""


def tell(services: Sequence[Service], plan: Plan, table: str) -> dict[str, str]:
    """All of it, by name."""
    environments = dict.fromkeys(each.environment for each in services)
    told = {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": _commit(),
        "command": " ".join(["python -m benchmarks", *map(_without_folder, sys.argv[1:])]),
        "rounds": f"{plan.rounds}, {plan.seconds} s of load for each work in each",
        "machine": f"{_processor()}, {_cores()} cores, {_memory()} GB; {platform.platform()}",
        "cores": f"services on {plan.cores.server}, load from {plan.cores.client}",
        "Python": platform.python_version(),
        "wrk": _wrk(),
        "rows by feature name": table,
    }
    for name in environments:
        if name is None or (PLACE / name).is_dir():
            found = versions(name, _PACKAGES[name])
            told[name or "Ordinate"] = ", ".join(f"{k} {v}" for k, v in found.items())
    return told


def _without_folder(argument: str) -> str:
    """An argument without what only this machine knows."""
    return Path(argument).name if "/" in argument else argument


def _commit() -> str:
    head = _output("git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD")
    changed = _output("git", "-C", str(ROOT), "status", "--porcelain", "--", "app", "wsgi.py")
    return (head or "unknown") + (", with changes that are not committed" if changed else "")


def _wrk() -> str:
    return _output("dpkg-query", "-W", "-f", "${Version}", "wrk") or "not from Debian"


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def _processor() -> str:
    return _proc("cpuinfo", "model name") or platform.processor()


def _cores() -> int:
    return Path("/proc/cpuinfo").read_text().count("processor\t")


def _memory() -> int:
    return round(int(_proc("meminfo", "MemTotal").split()[0]) * 1024 / 1e9)


def _proc(file: str, name: str) -> str:
    for line in (Path("/proc") / file).read_text().splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return ""
