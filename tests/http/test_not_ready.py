"""A real server that has nothing to predict with: up, not ready, and able to say why."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.models import publish
from tests.support.raw import Answer, ask, headed, post
from tests.support.server import Server

GOOD = b'{"x":[1,2,0.5]}'


def get(server: Server, target: str) -> Answer:
    """The answer to a GET."""
    return ask(server, headed(f"GET {target} HTTP/1.1", "Host: localhost"))


def without_models(root: Path) -> dict[str, str]:
    """An empty folder."""
    root.mkdir()
    return {}


def without_a_folder(_root: Path) -> dict[str, str]:
    """No folder at all."""
    return {}


def with_broken_models(root: Path) -> dict[str, str]:
    """Two models, one with an empty pickle and one with half a manifest."""
    for name, file in (("tiny", "model.joblib"), ("small", "manifest.json")):
        publish(root, name)
        broken = root / name / "1" / file
        broken.chmod(0o644)
        broken.write_bytes(broken.read_bytes()[: 40 if file == "manifest.json" else 0])
    return {"ORDINATE_MODEL": "tiny"}


def with_an_absent_default(root: Path) -> dict[str, str]:
    """A good model, and a setting that names another."""
    publish(root, "tiny", linear=True)
    return {"ORDINATE_MODEL": "absent"}


STATES = {
    "no-model": (without_models, "no default model"),
    "no-folder": (without_a_folder, "models folder"),
    "all-broken": (with_broken_models, "'tiny' cannot be used"),
    "absent-default": (with_an_absent_default, "no model named 'absent'"),
}


@pytest.fixture(scope="module", params=STATES)
def state(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, str]]:
    """A server in one of these states, and what it must say of it."""
    prepare, reason = STATES[request.param]
    root = tmp_path_factory.mktemp("state") / "models"
    with Server(root, ORDINATE_WORKERS="1", **prepare(root)) as server:
        yield server, reason


def test_health_is_ok(state: tuple[Server, str]) -> None:
    server, _ = state

    assert get(server, "/healthz").status == 200


def test_readiness_and_prediction_say_why_not_and_when_to_come_again(
    state: tuple[Server, str],
) -> None:
    server, reason = state

    for answer in (get(server, "/readyz"), ask(server, post(GOOD))):
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert reason in answer.json["error"]
        assert set(answer.json) == {"error", "details"}


def test_the_log_says_why_and_where_once(state: tuple[Server, str]) -> None:
    server, reason = state
    events = [json.loads(line) for line in server.err if line.startswith("{")]

    (told,) = [event for event in events if event["event"] == "models"]

    assert told["level"] in ("warning", "error")
    assert told["outcome"] == "missing"
    assert reason in told["reason"]
    assert told["folder"].endswith("/models")


def test_bad_request_is_still_told_what_is_wrong_with_its_form(state: tuple[Server, str]) -> None:
    server, _ = state

    wrong = headed(
        "POST /predict HTTP/1.1", "Host: localhost", "Content-Type: a/b", "Content-Length: 0"
    )

    assert ask(server, wrong).status == 415


@pytest.mark.parametrize("target", ["/", "/models", "/version", "/metrics", "/openapi.json"])
def test_all_else_is_served(target: str, state: tuple[Server, str]) -> None:
    server, _ = state

    assert get(server, target).status == 200


def test_no_answer_names_a_path(state: tuple[Server, str]) -> None:
    server, _ = state

    for target in ("/readyz", "/models", "/models/tiny", "/"):
        assert b"/tmp" not in get(server, target).body


def test_unknown_model_is_unknown_all_the_same(state: tuple[Server, str]) -> None:
    server, _ = state

    assert ask(server, post(GOOD, target="/models/nobody/predict")).status == 404
