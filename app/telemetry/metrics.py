"""Counting requests, rows, refusals and loads, over all workers, for Prometheus."""

import platform
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from prometheus_client import exposition
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from app.telemetry.families import (
    DURATION,
    FAMILIES,
    LOADS,
    LOST_LINES,
    OVERFLOW,
    REJECTED,
    REQUESTS,
    ROWS,
    Family,
    collect,
    expected,
)
from app.telemetry.shared import SharedSlots

METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
)
"""Methods that are counted under their own name; clients may invent any number of others."""

_SCRATCH = b"[]"
_SECONDS, _ROWS = DURATION.bounds, ROWS.bounds
_DURATION_SUM = DURATION.size - 1
_ROWS_SUM = ROWS.size - 1


class Metrics:
    """The counters of one service, shared by the processes forked from the one that made it.

    Labels must be taken from small, fixed sets: route templates, published models, fixed reasons.

    Attributes:
        certificate_expires: when the certificate of TLS that this process shows does, Unix time.
    """

    def __init__(self, version: str = "", slots: int = 64) -> None:
        """Map the memory and count in slot 0. At most `slots` - 1 workers count at a time."""
        self._version = version
        self._started = time.time()
        self.certificate_expires: float | None = None
        self._slots = SharedSlots(slots)
        self.use_slot(0)

    def claim_slot(self) -> int | None:
        """Choose a slot for a worker about to be forked; None if all are taken."""
        return self._slots.claim()

    def use_slot(self, number: int | None) -> None:
        """Count in this slot from now on. To be called in a new worker, before any request."""
        self._slot = self._slots.open(number)
        self._values, self._lock = self._slot.values, self._slot.lock
        self._requests: dict[tuple[str, str, int], tuple[int, int]] = {}
        self._predictions: dict[tuple[str, str], tuple[int, int, int]] = {}
        self._places: dict[tuple[str, ...], int] = {}
        largest = max(family.size for family in FAMILIES)
        self._scratch = self._slot.reserve(_SCRATCH, largest) or 0
        for family in (LOST_LINES, OVERFLOW):  # without labels: shown as 0 from the start
            self._place(family)

    def release_slot(self, number: int | None) -> None:
        """Give a dead worker's slot back; what it counted stays counted."""
        if number is not None:
            self._slots.release(number)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request; `route` is the template, never the path itself."""
        places = self._requests.get((route, method, status))
        if places is None:
            places = self._request_places(route, method, status)
        total, duration = places
        bucket = duration + bisect_left(_SECONDS, seconds)
        values = self._values
        with self._lock:
            values[total] += 1.0
            values[bucket] += 1.0
            values[duration + _DURATION_SUM] += seconds

    def prediction(self, route: str, seconds: float, model: str, count: int) -> None:
        """Count one POST that was answered with 200, and the rows that it had predicted."""
        places = self._predictions.get((route, model))
        if places is None:
            places = self._prediction_places(route, model)
        total, duration, rows = places
        bucket = duration + bisect_left(_SECONDS, seconds)
        rows_bucket = rows if count == 1 else rows + bisect_left(_ROWS, count)
        values = self._values
        with self._lock:
            values[total] += 1.0
            values[bucket] += 1.0
            values[duration + _DURATION_SUM] += seconds
            values[rows_bucket] += 1.0
            values[rows + _ROWS_SUM] += count

    def rejected(self, reason: str) -> None:
        """Count one refused request; `reason` is one of a few fixed words."""
        self._add(self._place(REJECTED, reason))

    def model_load(self, model: str, outcome: str) -> None:
        """Count one attempt to load a model version."""
        self._add(self._place(LOADS, model, outcome))

    def count(self, family: Family, *labels: str, amount: float = 1.0) -> None:
        """Add to one series of a counter."""
        self._add(self._place(family, *labels), amount)

    def observe(self, family: Family, value: float) -> None:
        """Add to one of the buckets of a histogram without labels."""
        place = self._place(family)
        bucket = place + bisect_left(family.bounds, value)
        with self._lock:
            self._values[bucket] += 1.0
            self._values[place + family.size - 1] += value

    def lost_line(self) -> None:
        """Count one log line that was given up."""
        self._add(self._place(LOST_LINES))

    def render(
        self, models: Iterable[tuple[str, str | int]] = (), *, open_format: bool = False
    ) -> tuple[bytes, str]:
        """Write out everything, summed over all workers.

        Args:
            models: name and version of each model that is being served.
            open_format: whether in OpenMetrics; else in the older text of Prometheus.

        Returns:
            The body and its content type.
        """
        served = list(models)
        counted = {key: [0.0] for key in expected(name for name, _ in served)} | self._counted()
        view = _View([*collect(counted), *self._facts(served)])
        if open_format:
            body: bytes = openmetrics.generate_latest(view)  # type: ignore[no-untyped-call]
            return body, openmetrics.CONTENT_TYPE_LATEST
        return exposition.generate_latest(view), exposition.CONTENT_TYPE_PLAIN_0_0_4

    def _counted(self) -> dict[bytes, list[float]]:
        totals = self._slots.totals()
        totals.pop(_SCRATCH, None)
        return totals

    def _facts(self, models: Iterable[tuple[str, str | int]]) -> Iterator[Metric]:
        served = InfoMetricFamily(
            "ordinate_model", "Version served of each model.", labels=["model"]
        )
        for name, version in models:
            served.add_metric([name], {"version": str(version)})
        yield served
        build = {"version": self._version, "python": platform.python_version()}
        yield InfoMetricFamily("ordinate_build", "What is running.", value=build)
        yield GaugeMetricFamily(
            "ordinate_workers", "Worker processes alive.", value=max(1, self._slots.taken())
        )
        if self.certificate_expires is not None:
            yield GaugeMetricFamily(
                "ordinate_tls_certificate_expiry_timestamp_seconds",
                "When the certificate of the worker that was asked expires, Unix time.",
                self.certificate_expires,
            )
        yield GaugeMetricFamily(
            "process_start_time_seconds", "When the service started, Unix time.", self._started
        )

    def _request_places(self, route: str, method: str, status: int) -> tuple[int, int]:
        shown = method if method in METHODS else "other"
        places = self._place(REQUESTS, route, shown, str(status)), self._place(DURATION, route)
        if shown == method and self._scratch not in places:
            self._requests[route, method, status] = places
        return places

    def _prediction_places(self, route: str, model: str) -> tuple[int, int, int]:
        places = *self._request_places(route, "POST", 200), self._place(ROWS, model)
        if self._scratch not in places:
            self._predictions[route, model] = places
        return places

    def _place(self, family: Family, *labels: str) -> int:
        """Index of a series' first value; that of a place nobody reads, once all space is used."""
        place = self._places.get((family.name, *labels))
        if place is None:
            place = self._slot.reserve(family.key(labels), family.size)
            if place is None:
                self._add(self._place(OVERFLOW))
                return self._scratch
            self._places[(family.name, *labels)] = place
        return place

    def _add(self, place: int, amount: float = 1.0) -> None:
        with self._lock:
            self._values[place] += amount


class _View(Collector):
    """Metric families in the form that the Prometheus library's writers take."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families
