"""Threads that end with what they were started for, also where that fails."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

_LAST_SECONDS = 120.0
"""What a thread may take for the answer that it waits for."""


@contextmanager
def asking(stop: threading.Event, works: Iterable[Callable[[], object]]) -> Iterator[None]:
    """Do each of these works in a thread of its own; then set `stop`, which must end them."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(_LAST_SECONDS)
