"""The prediction log of one process: records wait in memory, and a thread seals and writes them.

A request never waits for it: what finds no room, and what the disk does not take, is dropped.
"""

import atexit
import os
import threading
import time
from collections import deque
from pathlib import Path

from app.config import Config
from app.errors import ConfigError
from app.files import reason
from app.journal.folder import remove_expired
from app.journal.keys import PublicKey, read_public
from app.journal.losses import Losses
from app.journal.records import Fields, framed, packed, size_of
from app.journal.rotation import Rotation
from app.journal.sealing import RECORDS, begin
from app.keyfiles import named_by
from app.telemetry import Log, Metrics
from app.telemetry.families import LOGGED
from app.threads import started

MOST_WAITING = 1 << 16
MOST_BYTES = 32 << 20
"""Records, and bytes of them, that may wait in one process."""

GATHER_SECONDS = 0.1
"""Records come together for so long before they are written, which a kill -9 can lose."""

_IDLE_SECONDS = 30.0
_RETRY_SECONDS = 1.0
_CLOSE_SECONDS = 2.0


class Journal:
    """Keeps what is predicted. One thread in each process that predicts.

    Args:
        folder: where the files go.
        public: key that they are sealed for.
        days: after which a file is removed.
        metrics: that count.
        log: told of what is lost.
    """

    def __init__(
        self, folder: Path, public: PublicKey, days: int, metrics: Metrics, log: Log
    ) -> None:
        self._folder, self._public, self._days = folder, public, days
        self._metrics, self._log = metrics, log
        self._losses = Losses(metrics, log)
        self._files = Rotation(folder, public)
        self._overdue: set[str] = set()  # told of
        self._waiting: deque[Fields] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self._some, self._closing = threading.Event(), threading.Event()
        self._process: int | None = None  # a thread does not survive a fork
        self._thread: threading.Thread | None = None

    @classmethod
    def of(cls, config: Config, metrics: Metrics, log: Log) -> "Journal | None":
        """That of these settings, if they name one. Raises ConfigError."""
        folder, key = config.prediction_log, config.prediction_log_key
        if folder is None:
            return None
        if key is None:
            raise ConfigError(
                "ORDINATE_PREDICTION_LOG is set without ORDINATE_PREDICTION_LOG_KEY: name the file "
                "of a public key, which `flask --app wsgi predictions keys new` makes"
            )
        with named_by("ORDINATE_PREDICTION_LOG_KEY"):
            public = read_public(key)
        return cls(folder, public, config.prediction_log_days, metrics, log)

    def check(self) -> None:
        """Tell at the start what every write would fail of. Raises ConfigError.

        Something is sealed as well: what that imports is then there before the workers are forked.
        """
        where = f"ORDINATE_PREDICTION_LOG names {str(self._folder)!r}, "
        if not self._folder.is_dir():
            raise ConfigError(f"{where}which is no folder: make it, for the service's user alone")
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise ConfigError(f"{where}which this user may not write to")
        _, chain = begin(self._public)
        chain.seal(RECORDS, b"")

    def record(
        self, request_id: str, model: str, key: str | None, body: bytes, answer: bytes
    ) -> None:
        """Keep a prediction; neither waits nor raises."""
        record = (time.time_ns(), request_id, model, key, body, answer)
        size = size_of(body, answer)
        if self._process != os.getpid():
            self.ensure()
        with self._lock:
            full = len(self._waiting) >= MOST_WAITING or self._bytes + size > MOST_BYTES
            if not full:
                self._waiting.append(record)
                self._bytes += size
        if full:
            self._losses.add(1, "too many records are waiting to be written")
        elif not self._some.is_set():
            self._some.set()

    def ensure(self) -> None:
        """Start to write, and to remove what is too old, in this process unless it does already.

        Where the system has no thread to spare, that is left to the next record.
        """
        with self._lock:
            if self._process == os.getpid():
                return
            self._thread = started(self._work, "prediction log")
            if self._thread is None:
                return
            self._process = os.getpid()
        atexit.register(self.close)

    def close(self) -> None:
        """Write what is waiting and end the file, in a few seconds at most."""
        atexit.unregister(self.close)
        if self._process == os.getpid() and self._thread is not None:
            self._closing.set()
            self._some.set()
            self._thread.join(_CLOSE_SECONDS)

    # ---- in the thread ------------------------------------------------------------------------

    def _work(self) -> None:
        due = 0.0
        while not self._closing.is_set():
            if time.monotonic() >= due:
                due = time.monotonic() + _IDLE_SECONDS
                self._tidy()
            if self._some.wait(due - time.monotonic()):
                self._closing.wait(GATHER_SECONDS)
                self._write()
        self._write()
        self._files.end()

    def _tidy(self) -> None:
        self._files.end_if_due()
        for name, error in remove_expired(self._folder, self._days, time.time()):
            if error is None:
                self._log.event("info", "prediction log", outcome="expired", file=name)
            elif name not in self._overdue:
                self._overdue.add(name)
                why = f"it is too old and cannot be removed: {reason(error)}"
                self._log.event("error", "prediction log", outcome="overdue", file=name, reason=why)

    def _write(self) -> None:
        self._some.clear()
        with self._lock:
            taken, self._waiting, self._bytes = self._waiting, deque(), 0
        left = len(taken)
        try:
            for lot in framed(taken):
                ready = self._pack(lot)
                left -= len(lot) - len(ready)
                if ready:
                    self._files.write(ready, lot[0][0] / 1e9)
                    self._metrics.count(LOGGED, "written", amount=len(ready))
                    left -= len(ready)
        except OSError as error:
            self._losses.add(left, f"the file cannot be written: {reason(error)}")
            self._closing.wait(_RETRY_SECONDS)
        except Exception as error:  # noqa: BLE001 - a thread that ends would end the log
            self._losses.add(left, "writing it failed unexpectedly")
            self._log.failure("writing the prediction log failed", error)
            self._closing.wait(_RETRY_SECONDS)

    def _pack(self, lot: list[Fields]) -> list[bytes]:
        """These records as bytes; one that cannot be written takes no other with it."""
        found = []
        for record in lot:
            try:
                found.append(packed(record))
            except (TypeError, ValueError):
                self._losses.add(1, "a name in it cannot be written as text")
        return found
