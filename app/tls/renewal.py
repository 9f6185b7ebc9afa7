"""Looks for renewed certificates beside the requests."""

import threading
from datetime import datetime

from app.telemetry import Log, Metrics
from app.tls.live import Change, Live

LOOK_SECONDS = 0.5
"""Between two looks. Files count as changed when two looks in a row found them alike, since a
certificate and its key are rarely replaced in one step."""


class Renewal:
    """Takes renewed certificates over, in a thread of each process that serves.

    Args:
        live: to be kept up to date.
        log: told of each change.
        metrics: told when the certificate expires.
    """

    def __init__(self, live: Live, log: Log, metrics: Metrics) -> None:
        self._live, self._log, self._metrics = live, log, metrics
        self._before = live.seen
        self._stopped = threading.Event()
        metrics.certificate_expires = live.expires.timestamp()

    def start(self) -> None:
        """Look from now on, for as long as the process lives."""
        threading.Thread(target=self._watch, name="renewal", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def look(self) -> None:
        """Take over what has changed and is complete. Never raises."""
        try:
            found = self._live.identity()
            settled, self._before = found == self._before, found
            if settled and (change := self._live.look()):
                self._tell(change)
        except Exception as error:  # noqa: BLE001 - a thread that ends would end all renewals
            self._log.failure("looking for a renewed certificate failed", error)

    def _watch(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            self.look()

    def _tell(self, change: Change) -> None:
        expires = shown(change.expires)
        self._metrics.certificate_expires = change.expires.timestamp()
        if change.refused is not None:
            reason = f"{change.refused}; the one before is still used"
            self._log.event(
                "error", "certificate", outcome="refused", reason=reason, expires=expires
            )
            return
        self._log.event("info", "certificate", outcome="renewed", expires=expires)
        for warning in change.warnings:
            self._log.event("warning", "certificate", outcome="renewed", reason=warning)


def shown(moment: datetime) -> str:
    """A moment as all others in the log, to the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
