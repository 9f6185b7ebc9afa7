"""Keys over HTTP: who gets in where, alike through every server, and what a change does."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from waitress.server import create_server

from app.http.fast import FastPath
from app.http.plain import SENDER
from app.security import Caller, KeyFile, Sender
from app.security.api_keys import new_key
from app.security.uses import places, read
from tests.http.test_fast import answered
from tests.support.api_keys import PREDICTS, RULES, made
from tests.support.clients import client_of
from tests.support.hostile import Case
from tests.support.raw import Answer, Wire, headed, post
from tests.support.server import Server
from tests.support.tokens import AUDIENCE, ISSUER, issuer, key_set

OF_EACH_ANSWER = {"Date", "X-Request-Id"}
HOST = "Host: localhost"


@dataclass(frozen=True)
class People:
    """Keys of a service, and the file that holds them."""

    path: Path
    tiny: str
    every: str
    ruler: str
    expired: str
    revoked: str

    @property
    def settings(self) -> dict[str, str]:
        return {
            "ORDINATE_AUTH": "on",
            "ORDINATE_KEYS": str(self.path),
            "ORDINATE_LIMIT_WRONG_KEYS": "none",
        }


def gathered(path: Path) -> People:
    revoked = made(path, "revoked")
    KeyFile(path).revoke("revoked")
    return People(
        path,
        tiny=made(path, "tiny-only", models=frozenset({"tiny"})),
        every=made(path, "every"),
        ruler=made(path, "ruler", RULES),
        expired=KeyFile(path, now=lambda: 1e9).add(Caller("expired", PREDICTS), 1).text,
        revoked=revoked,
    )


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    return gathered(tmp_path_factory.mktemp("people") / "keys.json")


@pytest.fixture(scope="module")
def asked(models: Path, people: People) -> FlaskClient:
    """The service with keys, in this process."""
    return client_of(models, **people.settings)


@pytest.fixture(scope="module")
def events(models: Path, people: People) -> Iterator[Server]:
    with Server(models, **people.settings) as running:
        yield running


@pytest.fixture(scope="module")
def threads(models: Path, people: People) -> Iterator[Server]:
    with Server(models, ("-k", "gthread"), ORDINATE_WORKERS="1", **people.settings) as running:
        yield running


class Waitress:
    """The application behind waitress, in a thread, as far as `Wire` needs to know."""

    tls = None

    def __init__(self, application: Any) -> None:
        self._server = create_server(application, host="127.0.0.1", port=0, threads=2)
        self.port = self._server.effective_port
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with suppress(OSError):  # closing it takes the descriptors from under its select
            self._server.run()

    def stop(self) -> None:
        self._server.close()
        self._thread.join(timeout=20)


@pytest.fixture(scope="module")
def waitress(asked: FlaskClient) -> Iterator[Waitress]:
    running = Waitress(asked.application)
    yield running
    running.stop()


@pytest.fixture(scope="module", params=["events", "threads", "waitress"])
def anywhere(request: pytest.FixtureRequest) -> Any:
    """Each of the servers."""
    return request.getfixturevalue(request.param)


def ask(server: Any, method: str, target: str, *headers: str) -> Answer:
    with Wire(server) as wire:
        if method == "POST":
            wire.send(post(b'{"x":[1,2,0.5]}', *headers, target=target))
        else:
            wire.send(headed(f"{method} {target} HTTP/1.1", HOST, *headers))
        return wire.answer()


def wrong(people: People) -> dict[str, tuple[str, ...]]:
    """Headers that let nobody in."""
    stranger = new_key().text
    return {
        "nothing": (),
        "empty": ("Authorization: ",),
        "no key": ("Authorization: Bearer",),
        "malformed": ("Authorization: Bearer x",),
        "a slip": (f"X-API-Key: {people.every[:-1]}-",),
        "a stranger's": (f"Authorization: Bearer {stranger}",),
        "a stranger's, by itself": (f"X-API-Key: {stranger}",),
        "revoked": (f"Authorization: Bearer {people.revoked}",),
        "expired": (f"Authorization: Bearer {people.expired}",),
        "another scheme": (f"Authorization: Basic {people.every}",),
        "no scheme": (f"Authorization: {people.every}",),
        "two that differ": (f"Authorization: Bearer {people.every}", f"X-API-Key: {people.ruler}"),
        "twice": (f"X-API-Key: {people.every}", f"X-API-Key: {people.every}"),
        "another header": (f"Api-Key: {people.every}", f"Cookie: key={people.every}"),
        "an underscore": (f"X_API_Key: {people.every}",),
        "a token": (f"Authorization: Bearer {issuer('a', 'EdDSA').token()}",),
    }


TARGETS = [
    ("POST", "/predict"),
    ("POST", "/models/tiny/predict"),
    ("POST", "/models/tiny/versions/1/predict"),
    ("GET", "/models"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/admin/keys"),
    ("GET", "/nope"),
    ("GET", "/models%2ftiny"),
    ("DELETE", "/predict"),
    ("OPTIONS", "/predict"),
]


def test_all_that_is_wrong_is_answered_alike(anywhere: Any, people: People) -> None:
    found = set()
    for method, target in TARGETS:
        cases = wrong(people).values()
        answers = [ask(anywhere, method, target, *headers) for headers in cases]
        in_url = f"{target}?key={people.every}&access_token={people.every}"
        for answer in [*answers, ask(anywhere, method, in_url)]:
            headers = {k: v for k, v in answer.headers.items() if k not in OF_EACH_ANSWER}
            found.add((answer.status, tuple(sorted(headers.items())), answer.body))

    ((status, headers_, body),) = found
    assert status == 401
    named = {name.lower(): value for name, value in headers_}  # waitress writes them its own way
    assert named["www-authenticate"] == 'Bearer realm="ordinate"'
    assert json.loads(body)["error"].startswith("a key is needed here: send it as")


DOORS = [
    # method, target, without a key, for tiny, for all models, admin
    ("GET", "/healthz", 200, 200, 200, 200),
    ("GET", "/readyz", 200, 200, 200, 200),
    ("POST", "/predict", 401, 200, 200, 200),
    ("POST", "/models/tiny/predict", 401, 200, 200, 200),
    ("POST", "/models/single/predict", 401, 403, 200, 200),
    ("POST", "/models/single/versions/1/predict", 401, 403, 200, 200),
    ("POST", "/models/nope/predict", 401, 403, 404, 404),
    ("POST", "/models/tiny/labels/proven/predict", 401, 200, 200, 200),
    ("GET", "/models/tiny", 401, 200, 200, 200),
    ("GET", "/models/single", 401, 403, 200, 200),
    ("GET", "/models", 401, 200, 200, 200),
    ("GET", "/", 401, 200, 200, 200),
    ("GET", "/version", 401, 200, 200, 200),
    ("GET", "/openapi.json", 401, 200, 200, 200),
    ("GET", "/metrics", 401, 403, 403, 200),
    ("GET", "/admin/keys", 401, 403, 403, 200),
    ("GET", "/admin/settings", 401, 403, 403, 200),
    ("GET", "/admin/nope", 401, 404, 404, 404),
    ("GET", "/nope", 401, 404, 404, 404),
    ("DELETE", "/predict", 401, 405, 405, 405),
]


def test_every_door_opens_to_whom_it_should(anywhere: Any, people: People) -> None:
    found = [
        (
            method,
            target,
            ask(anywhere, method, target).status,
            ask(anywhere, method, target, f"Authorization: Bearer {people.tiny}").status,
            ask(anywhere, method, target, f"X-API-Key: {people.every}").status,
            ask(anywhere, method, target, f"authorization: bearer {people.ruler}").status,
        )
        for method, target, *_ in DOORS
    ]

    assert found == DOORS


@pytest.mark.parametrize(
    ("variable", "target", "statuses"),
    [
        ("ORDINATE_METRICS", "/metrics", {"open": 200, "key": 401, "admin": 401}),
        ("ORDINATE_OPENAPI", "/openapi.json", {"open": 200, "key": 401, "admin": 401}),
    ],
)
def test_two_doors_are_as_the_settings_say(
    variable: str, target: str, statuses: dict[str, int], models: Path, people: People
) -> None:
    for value, without in statuses.items():
        client = client_of(models, **people.settings, **{variable: value})

        assert client.get(target).status_code == without
        reader = client.get(target, headers={"X-API-Key": people.tiny})
        assert reader.status_code == (403 if value == "admin" else 200)
        assert client.get(target, headers={"X-API-Key": people.ruler}).status_code == 200


def test_a_key_for_some_models_sees_no_others(asked: FlaskClient, people: People) -> None:
    few, all_ = ({"X-API-Key": key} for key in (people.tiny, people.every))

    for target in ("/models", "/"):
        assert [m["name"] for m in asked.get(target, headers=few).get_json()["models"]] == ["tiny"]
        assert len(asked.get(target, headers=all_).get_json()["models"]) == 4
    assert b"single" not in asked.get("/", headers=few | {"Accept": "text/html"}).data
    paths = asked.get("/openapi.json", headers=few).get_json()["paths"]
    assert "/models/tiny/predict" in paths
    assert not [path for path in paths if "single" in path]


def test_what_asks_for_no_key_names_no_model(
    asked: FlaskClient, models: Path, people: People
) -> None:
    assert asked.get("/readyz").get_json() == {"ready": True, "models": {}}

    empty = client_of(models / "nowhere", **people.settings)
    answer = empty.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["error"] == (
        "there is no usable model; GET /models says why, with a key"
    )


@pytest.mark.parametrize("who", ["tiny", "every", "ruler", "revoked", "expired", None])
@pytest.mark.parametrize("target", ["/predict", "/models/tiny/predict", "/models/single/predict"])
def test_both_ways_give_the_same_answer(
    who: str | None, target: str, asked: FlaskClient, people: People
) -> None:
    fast = asked.application.wsgi_app
    assert isinstance(fast, FastPath)
    shown = {} if who is None else {"HTTP_X_API_KEY": getattr(people, who)}
    case = Case("keys", 0, target=target)

    assert answered(fast, case, **shown) == answered(fast._application, case, **shown)


def test_nobody_without_a_key_is_waited_for(events: Server) -> None:
    for line in ("X-A: 1", "Expect: 100-continue"):
        with Wire(events) as wire:
            wire.send(headed("POST /predict HTTP/1.1", HOST, "Content-Length: 500000", line))
            assert wire.answer().status == 401
            with pytest.raises(EOFError):
                wire.answer()


def test_keys_are_made_rotated_and_revoked_while_it_runs(events: Server, people: People) -> None:
    key = made(people.path, "passing")

    def statuses(shown: str) -> set[int]:  # of enough connections to meet both workers
        headers = f"X-API-Key: {shown}"
        return {ask(events, "GET", "/models", headers).status for _ in range(20)}

    events.wait_for(lambda: statuses(key) == {200}, 5)
    rotated = KeyFile(people.path).rotate("passing").text
    events.wait_for(lambda: (statuses(key), statuses(rotated)) == ({401}, {200}), 5)
    KeyFile(people.path).revoke("passing")
    events.wait_for(lambda: statuses(rotated) == {401}, 5)

    assert statuses(key) | statuses(rotated) == {401}


def test_the_log_names_the_key_also_where_it_is_refused(events: Server, people: People) -> None:
    for target, name in (("/predict", "let-in"), ("/models/single/predict", "refused")):
        ask(events, "POST", target, f"X-API-Key: {people.tiny}", f"X-Request-Id: {name}")
    ask(events, "GET", "/models/single", f"X-API-Key: {people.tiny}", "X-Request-Id: viewed")

    def lines() -> list[str]:
        named = ("let-in", "refused", "viewed")
        return [line for line in events.out if any(f'"request_id":"{n}"' in line for n in named)]

    events.wait_for(lambda: len(lines()) == 3)
    assert [json.loads(line)["key"] for line in lines()] == ["tiny-only"] * 3


def test_a_certificate_lets_its_sender_in(asked: FlaskClient, people: People) -> None:
    certified = {SENDER: Sender("192.0.2.1", "tiny-only")}

    assert asked.get("/models", environ_base=certified).status_code == 200
    assert asked.get("/models/single", environ_base=certified).status_code == 403
    shown = {"X-API-Key": people.revoked}
    assert asked.get("/models", headers=shown, environ_base=certified).status_code == 401


def test_a_token_lets_its_subject_in(models: Path, people: People, tmp_path: Path) -> None:
    by = issuer("one", "ES256")
    (tmp_path / "jwks.json").write_bytes(key_set(by))
    client = client_of(
        models,
        **people.settings,
        ORDINATE_JWKS=str(tmp_path / "jwks.json"),
        ORDINATE_JWT_ISSUER=ISSUER,
        ORDINATE_JWT_AUDIENCE=AUDIENCE,
    )

    def status(target: str, **claims: Any) -> int:
        shown = {"Authorization": f"Bearer {by.token(**claims)}"}
        return client.get(target, headers=shown).status_code

    assert [status("/models"), status("/metrics")] == [200, 403]
    assert status("/metrics", scope="ordinate:admin") == 200
    assert status("/models/single", ordinate_models=["tiny"]) == 403
    assert [status("/models", scope=""), status("/models", aud="other")] == [403, 401]
    assert client.get("/models", headers={"X-API-Key": people.every}).status_code == 200


def test_without_keys_there_is_nothing_to_administer(client: FlaskClient) -> None:
    for target in ("/admin/keys", "/admin/settings"):
        assert client.get(target).status_code == 404


def test_without_keys_other_machines_are_refused_where_the_server_cannot_tell(models: Path) -> None:
    client = client_of(models)
    elsewhere = {"REMOTE_ADDR": "192.0.2.1"}
    body = {"x": [1, 2, 0.5]}

    for refused in (
        client.post("/predict", json=body, environ_base=elsewhere),
        client.post("/predict", json=body, headers={"Accept": "*/*;q=1"}, environ_base=elsewhere),
        client.get("/models", environ_base=elsewhere),
    ):
        assert refused.status_code == 403
        assert "ORDINATE_ALLOW_OPEN=on" in refused.get_json()["error"]
    assert client.get("/healthz", environ_base=elsewhere).status_code == 200
    assert client.post("/predict", json=body).status_code == 200
    told_twice = client_of(models, ORDINATE_ALLOW_OPEN="on")
    assert told_twice.post("/predict", json=body, environ_base=elsewhere).status_code == 200


def test_the_last_use_is_kept_when_a_service_ends(models: Path, tmp_path: Path) -> None:
    people = gathered(tmp_path / "keys.json")
    with Server(models, **people.settings) as server:
        ask(server, "GET", "/models", f"X-API-Key: {people.every}")
        listed = ask(server, "GET", "/admin/keys", f"X-API-Key: {people.ruler}").json["keys"]
        assert server.stop() == 0

    used = {each["name"] for each in listed if each["last_used"]}
    assert used <= {"every", "ruler"}
    assert "ruler" in used
    assert read(places(people.path, None)).keys() == {people.every[5:13], people.ruler[5:13]}
    assert sorted(os.listdir(tmp_path)) == ["keys.json", "keys.json.used"]
