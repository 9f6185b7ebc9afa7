"""Which series there are: names, meanings, labels and buckets."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric


@dataclass(frozen=True, slots=True)
class Family:
    """Series of one name. With `bounds` (upper, inclusive) it is a histogram, else a counter."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """Values that one series keeps: a counter one, a histogram its buckets and the sum."""
        return len(self.bounds) + 2 if self.bounds else 1

    def key(self, labels: Sequence[str]) -> bytes:
        """Name one series, as bytes."""
        return json.dumps([self.name, *labels]).encode()


_SECONDS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
_ROWS = (1.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0, 1_000_000.0)

REQUESTS = Family("ordinate_requests_total", "Requests answered.", ("route", "method", "status"))
DURATION = Family(
    "ordinate_request_duration_seconds",
    "Time from a request being here to its answer, what it waited for a thread included.",
    ("route",),
    _SECONDS,
)
# No version among the labels: a model retrained every minute would add series for ever.
ROWS = Family("ordinate_prediction_rows", "Rows predicted in one request.", ("model",), _ROWS)
QUEUED = Family(
    "ordinate_queue_seconds",
    "Time that long requests waited for a thread, and that large bodies waited to be read.",
    (),
    _SECONDS,
)
REJECTED = Family("ordinate_rejected_total", "Requests refused, by reason.", ("reason",))
LOADS = Family(
    "ordinate_model_loads_total",
    "Attempts of a worker to load a model version, by outcome.",
    ("model", "outcome"),
)
CHANGES = Family(
    "ordinate_model_changes_total",
    "Times that a worker took over another current version, a rollback, or another label.",
    ("model", "change"),
)
CANARY = Family(
    "ordinate_canary_requests_total",
    "Requests that named no version and were given to the one labelled canary.",
    ("model",),
)
SHADOW_ROWS = Family(
    "ordinate_shadow_comparisons_total",
    "Rows that the version labelled shadow predicted as well, to compare.",
    ("model",),
)
SHADOW_DIFFERING = Family(
    "ordinate_shadow_differing_total",
    "Compared rows whose predictions differ by more than a millionth of the answer.",
    ("model",),
)
SHADOW_DIFFERENCE = Family(
    "ordinate_shadow_difference_sum_total",
    "Sum of the absolute differences over all compared rows, in the unit of the target.",
    ("model",),
)
SHADOW_FAILED = Family(
    "ordinate_shadow_failures_total",
    "Answered requests that the version labelled shadow could not answer.",
    ("model",),
)
SHADOW_DROPPED = Family(
    "ordinate_shadow_dropped_total",
    "Answered requests that were not compared, because too many were waiting.",
    ("model",),
)
QUOTA_REFUSALS = Family(
    "ordinate_quota_refusals_total", "Requests refused because a quota was used up.", ("quota",)
)
QUOTA_FAILURES = Family(
    "ordinate_quota_store_failures_total",
    "Times that a worker lost the Redis which shares quotas between machines.",
)
QUOTA_LOCAL = Family(
    "ordinate_quota_local_total",
    "Times that quotas were decided by this machine alone, as Redis did not answer.",
)
LOGGED = Family(
    "ordinate_prediction_log_records_total",
    "Predictions by what became of their record in the prediction log: written or dropped.",
    ("outcome",),
)
LOST_LINES = Family(
    "ordinate_log_lines_lost_total", "Log lines that could not be written without waiting."
)
OVERFLOW = Family(
    "ordinate_metrics_overflow_total", "Updates not counted because there were too many series."
)
FAMILIES = (
    *(REQUESTS, DURATION, QUEUED, ROWS, REJECTED, LOADS, CHANGES, CANARY),
    *(SHADOW_ROWS, SHADOW_DIFFERING, SHADOW_DIFFERENCE, SHADOW_FAILED, SHADOW_DROPPED),
    *(QUOTA_REFUSALS, QUOTA_FAILURES, QUOTA_LOCAL),
    *(LOGGED, LOST_LINES, OVERFLOW),
)

REASONS = (
    *("invalid_input", "media_type", "not_acceptable", "too_large", "unauthorized", "forbidden"),
    *("quota", "not_ready", "overloaded", "deadline", "too_slow", "malformed", "handshake"),
)
"""Why requests are refused."""

PREDICTIONS = Family("ordinate_predictions_total", "Rows predicted.", ("model",))
"""Not counted by itself: it is the sum of ROWS."""


def expected(models: Iterable[str]) -> Iterator[bytes]:
    """What is shown as 0 before it is counted, by key, where these models are served.

    Prometheus takes a series that begins with 1 for one that has not increased: an alarm on it
    would miss the first time.
    """
    yield from (REJECTED.key([reason]) for reason in REASONS)
    yield from (LOGGED.key([outcome]) for outcome in ("written", "dropped"))
    for model in models:
        yield from (LOADS.key([model, outcome]) for outcome in ("loaded", "refused"))


def collect(totals: Mapping[bytes, Sequence[float]]) -> Iterator[Metric]:
    """Turn counted values, by key, into what the Prometheus library writes."""
    series: dict[str, dict[tuple[str, ...], Sequence[float]]] = {}
    for key, values in sorted(totals.items()):
        name, *labels = json.loads(key)
        series.setdefault(name, {})[tuple(labels)] = values
    for family in FAMILIES:
        found = series.get(family.name, {})
        yield _histogram(family, found) if family.bounds else _counter(family, found)
    yield _counter(PREDICTIONS, {k: v[-1:] for k, v in series.get(ROWS.name, {}).items()})


def _counter(
    family: Family, found: Mapping[tuple[str, ...], Sequence[float]]
) -> CounterMetricFamily:
    metric = CounterMetricFamily(family.name, family.help, labels=family.labels)
    for labels, (value,) in found.items():
        metric.add_metric(labels, value)
    return metric


def _histogram(
    family: Family, found: Mapping[tuple[str, ...], Sequence[float]]
) -> HistogramMetricFamily:
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    names = [*map(repr, family.bounds), "+Inf"]
    for labels, (*buckets, total) in found.items():
        metric.add_metric(labels, list(zip(names, accumulate(buckets), strict=True)), total)
    return metric
