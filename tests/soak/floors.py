"""What no program can do without: measured by two in C.

One does nothing but refuse. The other does nothing but answer, over few connections and over many:
what belongs to thousands of sockets does not fit into the caches, and the system takes the longer
for each request, whoever it is for.
"""

import socket
import subprocess
import time
from dataclasses import dataclass
from statistics import median

from benchmarks import steady
from benchmarks.processes import free_port
from benchmarks.programs import compiled
from tests.soak.flooding import HERE, flood

_SECONDS, _START_SECONDS = 4.0, 10.0
_TURNS = 3


@dataclass(frozen=True)
class Floor:
    """Refusals by a program in C that answers 503 without a look at what is asked.

    Attributes:
        seconds: of CPU that one of them took.
    """

    seconds: float

    def left(self, rate: float) -> float:
        """Share of a core that is left where so many are refused a second."""
        return max(0.0, 1 - rate * self.seconds)


def floor(request: bytes, connections: int, rate: float, *, service: str, clients: str) -> Floor:
    """Measure it.

    Args:
        request: all its bytes.
        connections: that it is sent over.
        rate: requests a second.
        service: core that refuses.
        clients: core that sends.
    """
    port = free_port()
    command = ["taskset", "-c", service, compiled(HERE / "refuse.c"), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            _wait_for(port)
            flood(
                *(port, request),
                connections=connections,
                rate=rate,
                seconds=_SECONDS,
                core=clients,
            )
            running.terminate()
            told, _ = running.communicate(timeout=10)
        finally:
            running.kill()
    refused, seconds = told.split()
    return Floor(float(seconds) / int(refused))


def growth(request: bytes, few: int, many: int, *, service: str, clients: str) -> float:
    """Seconds of a core that the system takes more for a request over many connections.

    Args:
        request: all its bytes; it must fit into one segment.
        few: connections that keep the program just busy.
        many: connections to compare them with.
        service: core that answers.
        clients: core that sends.
    """
    taken: dict[int, list[float]] = {few: [], many: []}
    with steady.serving(0, service) as (running, port), running.preferred():
        for _ in range(_TURNS):
            for connections, seconds in taken.items():
                before = sum(running.cpu().values())
                found = flood(
                    *(port, request),
                    connections=connections,
                    rate=1e6,
                    seconds=_SECONDS,
                    core=clients,
                )
                used = sum(running.cpu().values()) - before
                seconds.append(used / len(found.times[200]))
    return max(0.0, median(taken[many]) - median(taken[few]))


def _wait_for(port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
