"""A program in C that uses as much CPU for each request as a service does, and always as much.

Its latencies at the same pace are those that this machine gives to whoever costs so much: what it
does when it stands still, wakes up or is shared belongs to no service.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.checks import Unfit, ask
from benchmarks.processes import Running, free_port
from benchmarks.programs import compiled

SOURCE = Path(__file__).parent / "steady.c"
START_SECONDS = 10.0


@contextmanager
def serving(microseconds: float, core: str) -> Iterator[tuple[Running, int]]:
    """The program, started, and its port.

    Args:
        microseconds: of CPU for each request, waiting for it and answering it included.
        core: to run on.

    Raises:
        Unfit: it does not answer.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="steady-") as folder:
        command = [compiled(SOURCE), str(port), f"{microseconds:.3f}"]
        log = Path(folder) / "log"
        with Running(command, Path(folder), {"PATH": os.defpath}, core, log) as running:
            until = time.monotonic() + START_SECONDS
            while ask(port, b"GET / HTTP/1.1\r\n\r\n") is None:
                if not running.is_alive() or time.monotonic() > until:
                    raise Unfit(f"steady.c does not answer: {running.log()}")
                time.sleep(0.002)
            yield running, port
