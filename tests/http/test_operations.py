"""What operators ask."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.clients import client_of
from tests.support.models import publish


def test_health_is_ok_whatever_there_is_to_predict_with(
    tmp_path: Path, client: FlaskClient
) -> None:
    for each in (client, client_of(tmp_path), client_of(tmp_path / "nowhere")):
        answer = each.get("/healthz")

        assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_ready_names_the_version_of_each_model(client: FlaskClient) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.get_json()["ready"] is True
    assert answer.get_json()["models"]["tiny"] == "tiny/2"


def test_without_a_default_any_usable_model_makes_ready(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    publish(tmp_path, "b")
    (tmp_path / "default").unlink()

    client = client_of(tmp_path)

    assert client.get("/readyz").status_code == 200
    assert client.post("/predict", json={"x": [1, 2, 3]}).status_code == 503
    assert client.post("/models/a/predict", json={"x": [1, 2, 3]}).status_code == 200


@pytest.mark.parametrize("target", ["/readyz", "/predict"])
def test_not_ready_says_why_and_when_to_come_again(target: str, tmp_path: Path) -> None:
    client = client_of(tmp_path, ORDINATE_MODEL="absent")

    answer = client.get(target) if target == "/readyz" else client.post(target, json={"x": [1]})

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "'absent'" in answer.get_json()["error"]


def test_version_tells_what_decides_the_answers(client: FlaskClient) -> None:
    content = client.get("/version").get_json()

    assert set(content["libraries"]) >= {"python", "numpy", "scikit-learn"}
    assert content["version"].count(".") == 2


PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, PLAIN),
        ("", PLAIN),
        ("*/*", PLAIN),
        (";;q=,,;", PLAIN),
        ("text/plain;version=junk", PLAIN),
        ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.1", OPEN),
        ("application/openmetrics-text;version=junk;escaping=x", OPEN),
        ("Application/OpenMetrics-Text", OPEN),
        ("application/openmetrics-text;q=0, text/plain", PLAIN),
        ("application/openmetrics-text;q=0.1, text/plain;q=0.2", PLAIN),
    ],
)
def test_the_scraper_chooses_the_format(
    client: FlaskClient, accept: str | None, expected: str
) -> None:
    answer = client.get("/metrics", headers={} if accept is None else {"Accept": accept})

    assert (answer.status_code, answer.content_type) == (200, expected)


def test_metrics_count_what_was_asked(client: FlaskClient) -> None:
    client.post("/predict", json={"x": [1, 2, 3]})

    answer = client.get("/metrics")

    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    assert 'route="/predict"' in answer.text
