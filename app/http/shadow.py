"""The shadow: a version that predicts beside the answers, to be compared with them, never heard.

Comparing is done in a thread of its own after the answer was made, in short spells with longer
rests, so that answering never has to wait for it. What would wait too long is dropped and counted.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from app.errors import InvalidInput, OrdinateError
from app.model import Model
from app.protocols import native
from app.telemetry import Log, Metrics
from app.telemetry.families import (
    SHADOW_DIFFERENCE,
    SHADOW_DIFFERING,
    SHADOW_DROPPED,
    SHADOW_FAILED,
    SHADOW_ROWS,
)
from app.threads import started

MOST_WAITING = 256
MOST_BYTES = 16 << 20
"""Requests, and bytes of them, that may wait to be compared in one worker."""

TOLERANCE = 1e-6
"""How far a prediction may be from the answer, relative to it, without being counted."""

_GATHER = 0.01
"""Seconds in which requests come together before the first is compared: the answers go out first,
and one waking serves many."""

_SPELL, _REST, _RESTS = 0.0002, 0.0008, 4
"""Seconds of work at a time, of rest at least, and how many times as long as the work rests are."""


@dataclass(frozen=True, slots=True)
class _Task:
    model: Model
    body: bytes
    answer: bytes


class Shadow:
    """Compares what shadows would have answered. One thread in each process that needs it.

    Args:
        metrics: that count.
        log: told once of a shadow that fails in an unforeseen way.
        max_rows: of one request.
    """

    def __init__(self, metrics: Metrics, log: Log, max_rows: int) -> None:
        self._metrics = metrics
        self._log = log
        self._max_rows = max_rows
        self._tasks: deque[_Task] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self._some = threading.Event()
        self._thread: threading.Thread | None = None
        self._told: set[str] = set()

    def compare(self, model: Model, body: bytes, answer: bytes) -> None:
        """Have a shadow predict what was answered, later; neither waits nor raises."""
        task = _Task(model, body, answer)
        with self._lock:
            full = len(self._tasks) >= MOST_WAITING or self._bytes + _size(task) > MOST_BYTES
            if not full:
                self._tasks.append(task)
                self._bytes += _size(task)
            if self._thread is None or not self._thread.is_alive():  # it does not survive a fork
                self._thread = started(self._work, "shadow")
        if full:
            self._metrics.count(SHADOW_DROPPED, model.manifest.name)
        elif not self._some.is_set():
            self._some.set()

    def _work(self) -> None:
        while True:
            self._some.wait()
            time.sleep(_GATHER)
            self._some.clear()
            started = time.perf_counter()
            while (task := self._next()) is not None:
                self._count(task)
                if (worked := time.perf_counter() - started) > _SPELL:
                    time.sleep(max(_REST, _RESTS * worked))
                    started = time.perf_counter()

    def _next(self) -> _Task | None:
        with self._lock:
            if not self._tasks:
                return None
            task = self._tasks.popleft()
            self._bytes -= _size(task)
            return task

    def _count(self, task: _Task) -> None:
        name = task.model.manifest.name
        try:
            differences, differing = _differences(task, self._max_rows)
        except Exception as error:  # noqa: BLE001 - an estimator can raise anything
            self._metrics.count(SHADOW_FAILED, name)
            self._tell(task.model, error)
            return
        self._metrics.count(SHADOW_ROWS, name, amount=differences.size)
        self._metrics.count(SHADOW_DIFFERING, name, amount=int(differing.sum()))
        self._metrics.count(SHADOW_DIFFERENCE, name, amount=float(differences.sum()))

    def _tell(self, model: Model, error: Exception) -> None:
        if not isinstance(error, OrdinateError) and model.label not in self._told:
            self._told.add(model.label)
            self._log.failure("a shadow failed unexpectedly", error, model=model.label)


def _size(task: _Task) -> int:
    return len(task.body) + len(task.answer)


def _differences(task: _Task, max_rows: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The absolute differences by row, and which of them are more than tolerated."""
    theirs, _ = native.answer(task.model, task.body, max_rows)
    y, answered = (
        np.atleast_1d(np.asarray(orjson.loads(each)["y"], np.float64))
        for each in (theirs, task.answer)
    )
    if y.shape != answered.shape:
        raise InvalidInput("it reads another number of rows")
    differences = np.abs(y - answered)
    return differences, differences > TOLERANCE * np.abs(answered)
