"""wrk as the load: as many requests as 8 connections can have answered, from a core of its own."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 8
SCRIPT = Path(__file__).parent / "replay.lua"


@dataclass(frozen=True)
class Load:
    """What wrk saw: requests answered, in how many seconds, how many failed; latencies in us."""

    requests: int
    seconds: float
    failed: int
    p50: float
    p99: float


def find_or_install() -> str:
    """The path of wrk; Debian's package is installed where it is absent and may be."""
    if shutil.which("wrk") is None and shutil.which("apt-get"):
        print("Installing Debian's wrk ...", file=sys.stderr)
        subprocess.run(["apt-get", "-qq", "install", "--yes", "wrk"], check=False)
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit("error: the benchmarks need wrk: apt-get install wrk")
    return found


def run(
    port: int,
    requests: Sequence[bytes],
    seconds: int,
    core: str,
    connections: int = CONNECTIONS,
    threads: int = 1,
) -> Load:
    """Load a service on this port of 127.0.0.1 for some seconds.

    Args:
        port, requests, seconds: which, with what, and for how long.
        core: that the load may use, as taskset names it.
        connections: how many there are.
        threads: of the load. One for two workers would be on the back of one of them now, and now
            on that of the other.

    Raises:
        SystemExit: there is no wrk, and it cannot be installed.
    """
    program = find_or_install()
    with tempfile.NamedTemporaryFile(suffix=".requests") as file:
        file.write(recorded(requests))
        file.flush()
        command = [
            *("taskset", "-c", core, program, "--threads", str(threads)),
            *("--connections", str(connections), "--duration", f"{seconds}s"),
            *("--timeout", "30s", "--script", str(SCRIPT), f"http://127.0.0.1:{port}"),
            *("--", file.name),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Load(**json.loads(done.stdout.splitlines()[-1]))


def recorded(requests: Sequence[bytes]) -> bytes:
    """Requests in the form that the script reads."""
    return b"".join(b"%d\n%s\n" % (len(request), request) for request in requests)
