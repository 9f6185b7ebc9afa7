"""What an administrator sees: all that is known, and no secret."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.config import SETTINGS, Config
from tests.http.test_openapi import check_document, validator
from tests.support.api_keys import RULES, made
from tests.support.clients import client_of
from tests.support.models import publish


def ruled(tmp_path: Path, **env: str) -> tuple[FlaskClient, dict[str, str]]:
    """A service with keys, and the headers of its administrator."""
    path = tmp_path / "keys.json"
    made(path, "web", models=frozenset({"tiny"}), days=1)
    settings = {"ORDINATE_KEYS": str(path), "ORDINATE_AUTH": "on", **env}
    return client_of(tmp_path / "models", **settings), {"X-API-Key": made(path, "ops", RULES)}


def test_keys_are_listed_without_what_they_are(tmp_path: Path) -> None:
    client, headers = ruled(tmp_path)

    answer = client.get("/admin/keys", headers=headers)

    ops, web = answer.get_json()["keys"]
    assert [ops["name"], ops["scopes"], ops["models"], ops["expires"]] == [
        "ops",
        ["admin"],
        None,
        None,
    ]
    assert ops["last_used"] is not None
    assert [web["name"], web["models"], web["last_used"]] == ["web", ["tiny"], None]
    assert web["expires"] > web["created"]
    assert b"digest" not in answer.data
    assert headers["X-API-Key"][13:].encode() not in answer.data


@pytest.mark.parametrize("path", ["/", "/models/tiny"])
def test_the_line_to_paste_shows_a_key_where_one_is_asked_for(tmp_path: Path, path: str) -> None:
    publish(tmp_path / "models", "tiny")
    client, headers = ruled(tmp_path)

    told = client.get(path, headers=headers).get_json()
    line = shlex.split((told["models"][0] if path == "/" else told["example"])["curl"])

    assert line[3:5] == ["-H", "Authorization: Bearer $KEY"]
    assert line[5:7] == ["-H", "Content-Type: application/json"]


def test_all_settings_are_listed_with_their_values(tmp_path: Path) -> None:
    client, headers = ruled(tmp_path, ORDINATE_CANARY="tiny:5", ORDINATE_MAX_ROWS="7")

    listed = client.get("/admin/settings", headers=headers).get_json()["settings"]

    values: dict[str, Any] = {each["variable"]: each["value"] for each in listed}
    assert list(values) == [setting.variable for setting in SETTINGS]
    assert values["ORDINATE_MAX_ROWS"] == 7
    assert values["ORDINATE_CANARY"] == "tiny:5"
    assert values["ORDINATE_AUTH"] is True
    assert values["ORDINATE_KEYS"] == str(tmp_path / "keys.json")
    assert values["ORDINATE_JWKS"] is None


def test_what_is_listed_of_a_setting_is_what_it_takes(tmp_path: Path) -> None:
    env = {
        "ORDINATE_CANARY": "tiny:0.07",
        "ORDINATE_TRUSTED_PROXIES": "unix,10.0.0.0/8,::1",
        "ORDINATE_LIMIT_KEY_REQUESTS": "100/second:200, nightly job=1000/second, trusted=none",
        "ORDINATE_LIMIT_KEY_ROWS": "nightly=7/day",
        "ORDINATE_LIMIT_ADDRESS_ROWS": "9/minute",
    }
    client, headers = ruled(tmp_path, **env)

    listed = client.get("/admin/settings", headers=headers).get_json()["settings"]

    values = {each["variable"]: each["value"] for each in listed}
    asked, again = (Config.from_env(said) for said in (env, {name: values[name] for name in env}))
    assert again == asked
    assert values["ORDINATE_TRUSTED_PROXIES"] == "10.0.0.0/8,::1/128,unix"
    (tmp_path / "without").mkdir()
    without, headers = ruled(tmp_path / "without")
    listed = without.get("/admin/settings", headers=headers).get_json()["settings"]
    assert {each["value"] for each in listed if each["variable"] in env} == {None}


def test_the_document_tells_who_may_ask_what(tmp_path: Path) -> None:
    client, headers = ruled(tmp_path)

    document = client.get("/openapi.json", headers=headers).get_json()

    check_document(document)
    assert document["security"] == [{"bearer": []}, {"apiKey": []}]
    for path, methods in document["paths"].items():
        for operation in methods.values():
            is_open = path in ("/healthz", "/readyz")
            assert operation.get("security") == ([] if is_open else None)
            assert ({"401", "403", "429"} <= operation["responses"].keys()) is not is_open
    for path, component in (("/admin/keys", "KeyList"), ("/admin/settings", "SettingList")):
        answer = client.get(path, headers=headers).get_json()
        assert validator(document, component).is_valid(answer)


@pytest.mark.parametrize("setting", ["REQUESTS", "ROWS"])
def test_where_addresses_have_quotas_the_document_says_so(tmp_path: Path, setting: str) -> None:
    env = {"ORDINATE_OPENAPI": "open", f"ORDINATE_LIMIT_ADDRESS_{setting}": "9/second"}

    document = client_of(tmp_path / "models", **env).get("/openapi.json").get_json()

    for path, methods in document["paths"].items():
        for operation in methods.values():
            is_open = path in {"/healthz", "/readyz", "/openapi.json"}
            assert ("429" in operation["responses"]) is not is_open
            assert not {"401", "403"} & operation["responses"].keys()
            assert "security" not in operation


def test_without_keys_the_document_is_as_it_was(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()

    assert "security" not in document
    assert "/admin/keys" not in document["paths"]
