"""What the service tells of its models."""

import json
import shlex
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from flask.testing import FlaskClient

from app.store import Keeper
from tests.support.clients import client_of
from tests.support.keys import signer, trusting
from tests.support.models import HOSTILE, PLAIN, publish


def told(client: FlaskClient, target: str) -> Any:
    """The content of an answer that must be good."""
    answer = client.get(target)
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/json"
    return answer.get_json()


def test_list_has_every_model_by_name(client: FlaskClient) -> None:
    models = told(client, "/models")["models"]

    assert [model["name"] for model in models] == ["hostile", "mixed", "single", "tiny"]
    assert models[3] == {
        "name": "tiny",
        "version": 2,
        "ready": True,
        "default": True,
        "problem": None,
    }
    assert [model["default"] for model in models] == [False, False, False, True]


def test_model_tells_all_that_is_known_of_it(client: FlaskClient) -> None:
    model = told(client, "/models/mixed")

    assert (model["version"], model["versions"], model["ready"]) == (1, [1], True)
    assert model["created"].endswith("Z")
    assert model["libraries"]["python"].startswith("3.")
    assert model["metrics"]["r2"]["mean"] == 1.0
    assert model["schema"]["target"] == {"name": "amount", "minimum": 0.0, "maximum": 10_000.0}
    assert model["schema"]["features"][:2] == [
        {"name": "age", "type": "number", "missing": True, "minimum": 18.0, "maximum": 90.0},
        {
            "name": "housing",
            "type": "category",
            "missing": False,
            "categories": ["free", "own", "rent"],
        },
    ]


def test_how_a_version_was_promoted_is_told(tmp_path: Path) -> None:
    decided = {"champion": 1, "decision": "promoted", "comparisons": [{"p": 0.0, "t": None}]}
    publish(tmp_path, "tiny", PLAIN)
    publish(tmp_path, "tiny", PLAIN, promotion=decided)
    client = client_of(tmp_path)

    assert told(client, "/models/tiny")["promotion"] == decided
    assert told(client, "/models/tiny")["version"] == 2


def test_versions_labels_signature_and_promotion_are_told_together_as_described(
    tmp_path: Path,
) -> None:
    root, mine = tmp_path / "models", signer(tmp_path / "keys", "mine")
    keys = trusting(mine, signs=mine)
    decided = {"champion": 1, "decision": "promoted", "comparisons": []}
    publish(root, "tiny", PLAIN, keys=keys)
    publish(root, "tiny", PLAIN, keys=keys, promotion=decided)
    publish(root, "tiny", PLAIN, keys=keys, promotion={"decision": "candidate"})
    Keeper(root, keys).set_label("tiny", "shadow", 3)
    trusted = str(tmp_path / "keys" / "mine.pub")
    client = client_of(root, ORDINATE_REQUIRE_SIGNATURE="on", ORDINATE_TRUSTED_KEYS=trusted)

    found = told(client, "/models/tiny")

    assert (found["version"], found["problem"]) == (2, None)
    assert found["versions"] == [1, 2, 3]
    assert found["labels"] == {"shadow": {"version": 3, "ready": True, "problem": None}}
    assert found["signature"] == {"state": "verified", "key": mine.key}
    assert found["promotion"] == decided
    document = client.get("/openapi.json").get_json()
    reference = {"$ref": "#/components/schemas/ModelDescription"}
    schema = jsonschema_rs.Draft202012Validator(reference | {"components": document["components"]})
    assert found.keys() <= properties(document)
    assert schema.is_valid(found)
    assert not schema.is_valid(found | {"signature": {"state": "perhaps"}})


def properties(document: Any) -> set[str]:
    """All that the document says of what is known of a model."""
    schemas = document["components"]["schemas"]
    described = schemas["ModelDescription"]["allOf"][1]["properties"]
    return {*schemas["ModelSummary"]["properties"], *described}


def test_unit_is_told_where_it_is_known(client: FlaskClient) -> None:
    width, height, _ = told(client, "/models/tiny")["schema"]["features"]

    assert width["unit"] == "mm"
    assert "unit" not in height


@pytest.mark.parametrize("name", ["tiny", "mixed", "single", "hostile"])
def test_example_is_answered_as_it_says(name: str, client: FlaskClient) -> None:
    example = told(client, f"/models/{name}")["example"]

    for request in (example["request"], example["request_by_name"]):
        answer = client.post(f"/models/{name}/predict", json=request)

        assert answer.get_json()["y"] == pytest.approx(example["response"]["y"], rel=1e-12)


@pytest.mark.parametrize("name", ["tiny", "mixed", "single", "hostile"])
def test_curl_line_is_one_command_that_sends_the_example(name: str, client: FlaskClient) -> None:
    example = told(client, f"/models/{name}")["example"]

    words = shlex.split(example["curl"])

    assert words[:2] == ["curl", "-s"]
    assert words[2] == f"http://localhost/models/{name}/predict"
    assert words[3:6] == ["-H", "Content-Type: application/json", "-d"]
    assert json.loads(words[6]) == example["request"]


def test_curl_line_of_a_strange_host_is_still_one_command(client: FlaskClient) -> None:
    for host in ("a b", "$(id)", "';id;'", "<script>", "a:b:c", "[", "x" * 300):
        answer = client.get("/models/tiny", headers={"Host": host})

        assert answer.status_code in (200, 400)
        if answer.status_code == 200:
            assert len(shlex.split(answer.get_json()["example"]["curl"])) == 7


@pytest.mark.parametrize(
    "target",
    ["/models/nobody", "/models/%2e%2e", "/models/tiny%00", "/models/Tiny", "/models/tiny/1"],
)
def test_unknown_model_is_404(target: str, client: FlaskClient) -> None:
    answer = client.get(target)

    assert answer.status_code == 404
    assert answer.get_json()["error"]


def test_broken_version_is_told_beside_the_older_one_that_serves(tmp_path: Path) -> None:
    publish(tmp_path, "tiny", PLAIN)
    publish(tmp_path, "tiny", PLAIN, seed=1)
    (tmp_path / "tiny" / "2" / "model.joblib").chmod(0o644)
    (tmp_path / "tiny" / "2" / "model.joblib").write_bytes(b"")
    client = client_of(tmp_path)

    model = told(client, "/models/tiny")

    assert (model["version"], model["versions"], model["ready"]) == (1, [1, 2], True)
    assert model["problem"].startswith("version 2 is refused")
    assert str(tmp_path) not in json.dumps(model)


def test_names_from_the_table_come_through_unchanged(client: FlaskClient) -> None:
    features = told(client, "/models/hostile")["schema"]["features"]

    assert [feature["name"] for feature in features] == list(HOSTILE.names)
