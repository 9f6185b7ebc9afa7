"""Looks for new versions beside the requests, so that they are served without a restart."""

import os
import threading

from app.registry import Registry
from app.telemetry import Log
from app.threads import started


class Watcher:
    """A thread that refreshes the registry, in each process that asks for it.

    Threads do not survive a fork, so every worker starts its own; the process that only forks them
    never does.

    Args:
        registry: to refresh.
        seconds: between two looks; 0 for never to look.
        log: told of what goes wrong in a look; the next one comes all the same.
    """

    def __init__(self, registry: Registry, seconds: float, log: Log) -> None:
        self._registry = registry
        self._seconds = seconds
        self._log = log
        self._process: int | None = None
        self._starting = threading.Lock()
        self._stopped = threading.Event()

    def ensure(self) -> None:
        """Start watching in this process unless it does already. Never raises.

        Where the system has no thread to spare, that is left to the next call.
        """
        if self._seconds and self._process != os.getpid():
            with self._starting:
                if self._process != os.getpid() and started(self._watch, "watcher"):
                    self._process = os.getpid()

    def look(self) -> None:
        """Take over now what is new, unless looking is switched off. Never raises."""
        if self._seconds:
            self._look()

    def stop(self) -> None:
        """Look no more, for good."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(self._seconds):
            self._look()

    def _look(self) -> None:
        try:
            self._registry.refresh()
        except Exception as error:  # noqa: BLE001 - a thread that ends would end all updates
            self._log.failure("looking for new versions failed", error)
