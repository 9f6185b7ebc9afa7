"""What it costs at least to refuse a request: measured by a program that does nothing else."""

import socket
import subprocess
import time
from dataclasses import dataclass

from benchmarks.processes import free_port
from benchmarks.programs import compiled
from tests.soak.flooding import HERE, flood

_SECONDS, _START_SECONDS = 4.0, 10.0


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
