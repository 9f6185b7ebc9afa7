"""Where errors become answers: one shape, and nothing of the inside in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, abort

from app import create_app
from app.config import Config
from app.errors import BrokenModel, InvalidInput, NotReady, Problem, TooLarge, UnknownModel
from app.http.service import EXTENSION
from app.model import Model
from tests.support.models import publish

RAISED = [
    (InvalidInput("wrong", [Problem(0, "a", "must be", 1)], 1), 400, None),
    (TooLarge("too large"), 413, None),
    (UnknownModel("no such model"), 404, None),
    (NotReady("no model yet"), 503, "5"),
    (BrokenModel("it is damaged"), 503, "30"),
]


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """A service with no model."""
    return create_app(Config.from_env({"ORDINATE_MODELS": str(tmp_path), "ORDINATE_REFRESH": "0"}))


@pytest.mark.parametrize(("error", "status", "retry"), RAISED, ids=str)
def test_error_is_answered_with_its_status_and_sentence(
    error: Exception, status: int, retry: str | None, app: Flask
) -> None:
    answer = raising(app, error).get("/raise")

    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == retry
    assert answer.get_json()["error"] == str(error)
    assert set(answer.get_json()) == {"error", "details"}


def test_unexpected_error_is_answered_by_500_and_a_sentence_alone(app: Flask) -> None:
    answer = raising(app, RuntimeError("secret in /srv/models/x.py")).get("/raise")

    assert answer.status_code == 500
    assert answer.get_json() == {
        "error": "the service failed on this request; its log says why",
        "details": [],
    }


def test_what_the_log_says_of_a_failure_is_found_by_the_id_in_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    publish(tmp_path, "tiny")
    app = create_app(Config.from_env({"ORDINATE_MODELS": str(tmp_path)}))
    monkeypatch.setattr(Model, "predict", fails)
    client = raising(app, RuntimeError("a view"))

    ids = [
        answer.headers["X-Request-Id"]
        for path in ("/models/tiny/predict", "/models/tiny/versions/1/predict")
        if (answer := client.post(path, json={"x": [1, 2, 3]})).status_code == 500
    ]
    ids.append(client.get("/raise", headers={"X-Request-Id": "mine"}).headers["X-Request-Id"])

    told = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    failures = [each for each in told if each["event"] == "a request failed unexpectedly"]
    assert [each["request_id"] for each in failures] == ids
    assert (len(ids), ids[-1]) == (3, "mine")


def fails(*_: object) -> None:
    raise RuntimeError("the model")


@pytest.mark.parametrize(
    "status", [400, 401, 403, 404, 405, 408, 409, 413, 417, 418, 429, 500, 501]
)
def test_every_error_of_the_framework_has_the_same_shape(status: int, app: Flask) -> None:
    app.add_url_rule("/abort", view_func=lambda: abort(status))

    answer = app.test_client().get("/abort")

    assert answer.status_code == status
    assert answer.content_type == "application/json"
    assert set(answer.get_json()) == {"error", "details"}


def test_refusals_are_counted_by_reason(app: Flask) -> None:
    client = app.test_client()

    client.post("/predict", data=b"{}", content_type="text/plain")
    client.post("/predict", json={"x": [1]}, headers={"Accept": "text/html"})
    client.post("/predict", json={"x": [1]})

    body, _ = app.extensions[EXTENSION].metrics.render()
    for reason in ("media_type", "not_acceptable", "not_ready"):
        assert f'reason="{reason}"}} 1' in text(body)


def raising(app: Flask, error: Exception) -> Any:
    """A client of the service with a view that raises this."""

    def view() -> str:
        raise error

    app.add_url_rule("/raise", view_func=view)
    return app.test_client()


def text(body: bytes | str) -> str:
    """The metrics as text."""
    return body.decode() if isinstance(body, bytes) else body
