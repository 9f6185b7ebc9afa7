"""What a prediction log could not keep: counted each time, told once a minute."""

import threading
import time

from app.telemetry import Log, Metrics
from app.telemetry.families import LOGGED

TELL_SECONDS = 60.0


class Losses:
    """Of one process.

    Args:
        metrics: that count them.
        log: told of them.
    """

    def __init__(self, metrics: Metrics, log: Log) -> None:
        self._metrics, self._log = metrics, log
        self._lock = threading.Lock()
        self._told = -TELL_SECONDS
        self._untold = 0

    def add(self, count: int, why: str) -> None:
        """Count so many records that are lost; neither waits nor raises."""
        self._metrics.count(LOGGED, "dropped", amount=count)
        now = time.monotonic()
        with self._lock:
            self._untold += count
            if now - self._told < TELL_SECONDS:
                return
            untold, self._untold, self._told = self._untold, 0, now
        self._log.event("error", "prediction log", outcome="dropped", records=untold, reason=why)
