"""Labels over HTTP: asked by name, a canary for a share of the ids, and what is told of them."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.http.fast import FastPath
from app.store import Keeper
from tests.support.clients import client_of
from tests.support.models import publish

BODY = {"x": [1, 2, 0.5]}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 3 of `tiny` is current, 1 is its canary and 2 is labelled `proven`."""
    root = tmp_path_factory.mktemp("labelled") / "models"
    for seed in (1, 2, 3):
        publish(root, seed=seed)
    Keeper(root).set_label("tiny", "canary", 1)
    Keeper(root).set_label("tiny", "proven", 2)
    return root


@pytest.fixture(scope="module")
def half(root: Path) -> FlaskClient:
    """A service that gives half of the requests to the canary."""
    return client_of(root, ORDINATE_CANARY="tiny:50")


def asked(client: FlaskClient, target: str, request_id: str, **more: Any) -> str:
    """Which version answered."""
    answer = client.post(target, json=BODY, headers={"X-Request-Id": request_id, **more})
    assert answer.status_code == 200, answer.text
    return answer.headers["X-Model"]


def test_a_label_is_asked_by_its_name(half: FlaskClient) -> None:
    assert asked(half, "/models/tiny/labels/proven/predict", "a") == "tiny/2"
    assert asked(half, "/models/tiny/labels/canary/predict", "a") == "tiny/1"


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("/models/tiny/labels/nothing/predict", "no version of 'tiny' that is labelled 'nothing'"),
        ("/models/nobody/labels/canary/predict", "there is no model named 'nobody'"),
        ("/models/tiny/labels/%2e%2e/predict", "no version of 'tiny' that is labelled '..'"),
    ],
)
def test_a_label_that_does_not_exist_is_404(half: FlaskClient, target: str, says: str) -> None:
    answer = half.post(target, json=BODY)

    assert answer.status_code == 404
    assert says in answer.get_json()["error"]


def test_both_doors_choose_the_same_version_for_the_same_id(half: FlaskClient) -> None:
    fast = half.application.wsgi_app
    assert isinstance(fast, FastPath)
    slow = {"Accept": "application/json;q=0.9"}  # needs interpretation, so that Flask answers it

    for target in ("/predict", "/models/tiny/predict"):
        answered = [asked(half, target, f"id-{n}") for n in range(60)]

        assert answered == [asked(half, target, f"id-{n}", **slow) for n in range(60)]
        assert set(answered) == {"tiny/1", "tiny/3"}


def test_a_request_that_names_a_version_or_label_never_falls_to_the_canary(
    half: FlaskClient,
) -> None:
    for n in range(40):
        assert asked(half, "/models/tiny/versions/3/predict", f"id-{n}") == "tiny/3"
        assert asked(half, "/models/tiny/labels/proven/predict", f"id-{n}") == "tiny/2"


def test_the_canary_of_a_model_without_a_share_answers_only_when_it_is_named(root: Path) -> None:
    for env in ({}, {"ORDINATE_CANARY": "other:100"}, {"ORDINATE_CANARY": "tiny:0"}):
        client = client_of(root, **env)

        assert {asked(client, "/predict", f"id-{n}") for n in range(40)} == {"tiny/3"}


def test_what_falls_to_the_canary_is_counted(root: Path) -> None:
    client = client_of(root, ORDINATE_CANARY="tiny:50")

    answered = [asked(client, "/predict", f"id-{n}") for n in range(40)]

    text = client.get("/metrics").text
    count = answered.count("tiny/1")
    assert f'ordinate_canary_requests_total{{model="tiny"}} {float(count)}' in text


def test_a_model_shows_its_labels_beside_its_versions(half: FlaskClient, root: Path) -> None:
    model = half.get("/models/tiny").get_json()

    assert (model["version"], model["versions"]) == (3, [1, 2, 3])
    assert model["labels"] == {
        "canary": {"version": 1, "ready": True, "problem": None},
        "proven": {"version": 2, "ready": True, "problem": None},
    }
    assert client_of(root.parent).get("/models").get_json() == {"models": []}
