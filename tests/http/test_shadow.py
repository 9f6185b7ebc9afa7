"""The shadow predicts beside the answers: it is compared and counted, and never heard."""

import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.http.shadow import MOST_WAITING, Shadow
from app.model import Model, load_model
from app.store import Keeper, Reader
from app.telemetry import Log, Metrics
from tests.support.clients import client_of
from tests.support.models import MIXED, PLAIN, publish
from tests.support.server import Server
from tests.support.threads import no_more_threads
from tests.support.waiting import SECONDS, eventually

BODY = {"x": [[1, 2, 0.5], [3, -1, 0.25]]}


def counted(text: str, name: str) -> float:
    """A counter of `tiny`; 0 where it was not counted yet."""
    found = re.search(rf'^ordinate_{name}_total{{model="tiny"}} (.*)$', text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def labelled(root: Path, first: Any = PLAIN, seeds: tuple[int, int] = (1, 2)) -> Path:
    """Version 2 of `tiny` is current and 1 its shadow."""
    publish(root, "tiny", first, seeds[0])
    publish(root, "tiny", PLAIN, seeds[1])
    Keeper(root).set_label("tiny", "shadow", 1)
    return root


def test_differences_from_the_shadow_are_counted_and_the_answer_is_the_current_versions(
    tmp_path: Path,
) -> None:
    client = client_of(labelled(tmp_path))
    y, shadows = (
        np.array(client.post(f"/models/tiny/versions/{v}/predict", json=BODY).get_json()["y"])
        for v in (2, 1)
    )

    for target in ("/predict", "/models/tiny/predict"):
        answer = client.post(target, json=BODY)
        assert answer.headers["X-Model"] == "tiny/2"
        assert answer.get_json()["y"] == y.tolist()

    def text() -> str:
        return client.get("/metrics").text

    assert eventually(lambda: counted(text(), "shadow_comparisons") == 4)
    assert counted(text(), "shadow_differing") == 4
    difference = counted(text(), "shadow_difference_sum")
    assert difference == pytest.approx(2 * np.abs(y - shadows).sum())
    assert counted(text(), "shadow_failures") == 0
    assert counted(text(), "prediction_rows_count") == 0  # of the shadow nothing else is counted


def test_a_shadow_that_predicts_the_same_does_not_differ(tmp_path: Path) -> None:
    client = client_of(labelled(tmp_path, seeds=(1, 1)))

    client.post("/predict", json={"x": [1, 2, 0.5]})

    assert eventually(lambda: counted(client.get("/metrics").text, "shadow_comparisons") == 1)
    assert counted(client.get("/metrics").text, "shadow_differing") == 0
    assert counted(client.get("/metrics").text, "shadow_difference_sum") == 0


def test_a_shadow_that_cannot_answer_is_counted_and_the_answer_is_none_the_worse(
    tmp_path: Path,
) -> None:
    client = client_of(labelled(tmp_path, first=MIXED))

    assert client.post("/predict", json=BODY).status_code == 200

    assert eventually(lambda: counted(client.get("/metrics").text, "shadow_failures") == 1)
    assert counted(client.get("/metrics").text, "shadow_comparisons") == 0


def test_what_is_refused_is_not_compared(tmp_path: Path) -> None:
    client = client_of(labelled(tmp_path))

    assert client.post("/predict", json={"x": [1]}).status_code == 400
    assert client.post("/predict", json=BODY).status_code == 200

    assert eventually(lambda: counted(client.get("/metrics").text, "shadow_comparisons") == 2)
    assert counted(client.get("/metrics").text, "shadow_failures") == 0


class Held:
    """A predictor that waits until it is let go, and then fails in a way nobody foresaw."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def predict(self, _: Any) -> Any:
        self.go.wait(SECONDS)
        raise ZeroDivisionError


def held_model(root: Path) -> tuple[Model, Held]:
    publish(root)
    good, held = load_model(Reader(root), "tiny", 1), Held()
    return Model(good.manifest, good.manifest_sha256, held), held


def test_a_shadow_that_hangs_holds_nothing_up_and_what_waits_too_long_is_dropped(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    metrics = Metrics()
    model, held = held_model(tmp_path)
    shadow = Shadow(metrics, Log(access=False), 10)

    for _ in range(MOST_WAITING + 50):
        shadow.compare(model, b'{"x":[1,2,0.5]}', b'{"y":1.0}')

    def text() -> str:
        return metrics.render()[0].decode()

    assert counted(text(), "shadow_dropped") >= 49
    held.go.set()
    assert eventually(
        lambda: (
            counted(text(), "shadow_dropped") + counted(text(), "shadow_failures")
            == MOST_WAITING + 50
        )
    )
    assert capfd.readouterr().err.count("ZeroDivisionError") == 1


def test_large_bodies_that_wait_are_bounded_as_well(tmp_path: Path) -> None:
    metrics = Metrics()
    model, held = held_model(tmp_path)
    shadow = Shadow(metrics, Log("error", access=False), 10)

    for _ in range(10):
        shadow.compare(model, bytes(4 << 20), b"{}")
    held.go.set()

    assert counted(metrics.render()[0].decode(), "shadow_dropped") >= 5


def test_every_worker_of_a_real_service_compares(tmp_path: Path) -> None:
    for seed in (1, 2):
        publish(tmp_path, seed=seed, linear=True)
    Keeper(tmp_path).set_label("tiny", "shadow", 1)

    with Server(tmp_path) as server:
        for _ in range(30):
            assert server.ask("/predict") == "tiny/2"

        server.wait_for(lambda: counted(server.get("/metrics"), "shadow_comparisons") == 30)


def test_without_a_thread_it_waits_for_the_next_comparison_and_nobody_notices(
    tmp_path: Path,
) -> None:
    client = client_of(labelled(tmp_path))
    with no_more_threads():
        first = client.post("/predict", json=BODY)

    second = client.post("/predict", json=BODY)

    assert (first.status_code, second.status_code) == (200, 200)
    assert eventually(lambda: counted(client.get("/metrics").text, "shadow_comparisons") == 4)
