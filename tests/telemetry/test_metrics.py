"""What Prometheus is told."""

import subprocess
import sys
import threading

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_plain

from app.telemetry import Metrics
from app.telemetry.families import LOGGED, QUEUED, REASONS

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(metrics: Metrics, models: tuple[tuple[str, int], ...] = ()) -> Samples:
    body, _ = metrics.render(models)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse_plain(body.decode())
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def test_a_fresh_service_shows_its_facts_and_no_requests() -> None:
    samples = scrape(Metrics("1.2.3"), (("diabetes", 4),))

    assert value(samples, "ordinate_model_info", model="diabetes", version="4") == 1
    assert value(samples, "ordinate_workers") == 1
    assert value(samples, "ordinate_metrics_overflow_total") == 0
    assert value(samples, "ordinate_log_lines_lost_total") == 0
    assert value(samples, "process_start_time_seconds") > 1.7e9
    assert ("version", "1.2.3") in next(k for n, k in samples if n == "ordinate_build_info")
    assert not any(name == "ordinate_requests_total" for name, _ in samples)


def test_what_alarms_are_raised_on_is_there_before_it_happens() -> None:
    metrics = Metrics()

    before = scrape(metrics, (("diabetes", 4),))
    for reason in REASONS:
        metrics.rejected(reason)
    for outcome in ("loaded", "refused"):
        metrics.model_load("diabetes", outcome)
    for outcome in ("written", "dropped"):
        metrics.count(LOGGED, outcome)
    after = scrape(metrics, (("diabetes", 4),))

    risen = {series: value for series, value in after.items() if value != before.get(series)}
    assert len(risen) == len(REASONS) + 4
    assert {before.get(series) for series in risen} == {0}


def test_what_is_observed_is_shown_as_a_histogram() -> None:
    metrics = Metrics()

    for seconds in (0.0002, 0.003, 20.0):
        metrics.observe(QUEUED, seconds)

    samples = scrape(metrics)
    buckets = [
        value(samples, "ordinate_queue_seconds_bucket", le=le)
        for le in ("0.0001", "0.00025", "0.005", "10.0", "+Inf")
    ]
    assert buckets == [0, 1, 2, 2, 3]
    assert value(samples, "ordinate_queue_seconds_sum") == pytest.approx(20.0032)


def test_requests_are_counted_by_route_method_and_status_and_timed_by_route() -> None:
    metrics = Metrics()

    for status, seconds in ((200, 0.0002), (200, 0.003), (400, 20.0)):
        metrics.request("/predict", "POST", status, seconds)

    samples = scrape(metrics)
    by_status = [
        value(samples, "ordinate_requests_total", route="/predict", method="POST", status=status)
        for status in ("200", "400")
    ]
    assert by_status == [2, 1]
    buckets = [
        value(samples, "ordinate_request_duration_seconds_bucket", route="/predict", le=le)
        for le in ("0.0001", "0.00025", "0.005", "10.0", "+Inf")
    ]
    assert buckets == [0, 1, 2, 2, 3]
    name = "ordinate_request_duration_seconds"
    assert value(samples, f"{name}_count", route="/predict") == 3
    assert value(samples, f"{name}_sum", route="/predict") == pytest.approx(20.0032)


def test_a_duration_on_a_bound_belongs_to_its_bucket() -> None:
    metrics = Metrics()

    metrics.request("/", "GET", 200, 0.001)

    name = "ordinate_request_duration_seconds_bucket"
    assert value(scrape(metrics), name, route="/", le="0.001") == 1


def test_rows_refusals_loads_and_lost_lines_are_counted() -> None:
    metrics = Metrics()

    metrics.prediction("/predict", 0.001, "a", 1)
    metrics.prediction("/predict", 0.001, "a", 500)
    metrics.rejected("too_large")
    metrics.model_load("a", "loaded")
    metrics.model_load("a", "refused")
    metrics.model_load("a", "refused")
    metrics.lost_line()

    samples = scrape(metrics)
    assert value(samples, "ordinate_predictions_total", model="a") == 501
    assert value(samples, "ordinate_prediction_rows_count", model="a") == 2
    assert value(samples, "ordinate_prediction_rows_bucket", model="a", le="100.0") == 1
    assert value(samples, "ordinate_rejected_total", reason="too_large") == 1
    assert value(samples, "ordinate_model_loads_total", model="a", outcome="refused") == 2
    assert value(samples, "ordinate_log_lines_lost_total") == 1


def test_methods_that_clients_invent_share_one_series() -> None:
    metrics = Metrics()

    for number in range(100):
        metrics.request("/predict", f"BREW{number}", 405, 0.0)

    samples = scrape(metrics)
    labels = {"route": "/predict", "method": "other", "status": "405"}
    assert value(samples, "ordinate_requests_total", **labels) == 100
    assert sum(name == "ordinate_requests_total" for name, _ in samples) == 1


def test_labels_with_quotes_newlines_and_other_alphabets_survive() -> None:
    metrics = Metrics()

    metrics.rejected('a"b\\c\nd é \x1f')

    assert value(scrape(metrics), "ordinate_rejected_total", reason='a"b\\c\nd é \x1f') == 1


def test_more_series_than_there_is_room_for_are_counted_as_overflow() -> None:
    metrics = Metrics()

    for number in range(5000):
        metrics.rejected(f"reason {number:100}")
    metrics.rejected(f"reason {0:100}")
    metrics.request("/late", "GET", 200, 0.1)

    samples = scrape(metrics)
    kept = sum(v for (name, _), v in samples.items() if name == "ordinate_rejected_total")
    lost = value(samples, "ordinate_metrics_overflow_total")
    assert kept + lost in (5002, 5003)  # the last request has two series
    assert kept > 1000
    assert value(samples, "ordinate_rejected_total", reason=f"reason {0:100}") == 2


def test_threads_lose_no_count() -> None:
    metrics = Metrics()

    def work() -> None:
        for _ in range(5000):
            metrics.request("/predict", "POST", 200, 0.001)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    labels = {"route": "/predict", "method": "POST", "status": "200"}
    assert value(scrape(metrics), "ordinate_requests_total", **labels) == 20_000


@pytest.mark.parametrize("open_format", [False, True])
def test_both_formats_are_read_by_their_parsers(open_format: bool) -> None:
    metrics = Metrics()
    metrics.request("/predict", "POST", 200, 0.001)

    body, content_type = metrics.render([("a", 1)], open_format=open_format)

    assert content_type.startswith(
        "application/openmetrics-text; version=1" if open_format else "text/plain; "
    )
    parse = parse_openmetrics if open_format else parse_plain
    names = {family.name for family in parse(body.decode())}
    assert {"ordinate_requests", "ordinate_request_duration_seconds"} <= names


FORKED = """
import os, signal
from app.telemetry import Metrics
metrics = Metrics()
for life in range(50):
    slot = metrics.claim_slot()
    ready, done = os.pipe()
    child = os.fork()
    if child == 0:
        metrics.use_slot(slot)
        for _ in range(20):
            metrics.request("/predict", "POST", 200, 0.001)
        os.write(done, b"x")
        signal.pause()
    os.read(ready, 1)
    os.close(ready), os.close(done)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    metrics.release_slot(slot)
    body = metrics.render()[0].decode()
    wanted = [line for line in body.splitlines() if line.startswith("ordinate_requests_total")]
    print(slot, len(body.splitlines()), *wanted)
"""


def test_fifty_killed_workers_lose_nothing_and_leave_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED], check=True, capture_output=True, text=True, timeout=60
    )

    lives = [line.split() for line in done.stdout.splitlines()]
    assert [float(life[-1]) for life in lives] == [20.0 * n for n in range(1, 51)]
    assert len({(slot, lines) for slot, lines, *_ in lives}) == 1
