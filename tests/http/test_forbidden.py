"""Keys that are for something else: refused before the body is here, and never for free."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder

from app import create_app
from app.config import Config
from app.http.fast import FastPath
from app.http.outcome import Outcome
from app.security import LOCAL
from tests.http.test_keys import People, gathered
from tests.support.raw import Wire, headed, post
from tests.support.server import Server

LIMIT = {"ORDINATE_LIMIT_KEY_REQUESTS": "3/hour"}
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "STRANGE")
PATHS = (
    *("/", "/predict", "/predict/", "/predict//", "//predict", "/Predict", "/models", "/models/"),
    *(f"/models/{name}" for name in ("tiny", "single", "nope", "tiny/", "single/", "single//")),
    *(f"/models/{name}/predict" for name in ("tiny", "single", "nope", "TINY", "single ", "")),
    *("/models/single/predict/", "/models//single/predict", "//models/single/predict"),
    *("/models/single%2fpredict", "/models/ti%6ey/predict", "/models/%73ingle/predict"),
    *("/models/t%C3%A9/predict", "/models/%ff/predict", "/models/single%0a/predict"),
    *("/models/single/predict?x=1", "/models/tiny/predict?/models/single/predict"),
    *(f"/models/{name}/versions/1/predict" for name in ("tiny", "single", "nope")),
    *(f"/models/{name}/labels/proven/predict" for name in ("tiny", "single")),
    *("/metrics", "/metrics/", "/metrics//", "/openapi.json", "/healthz", "//healthz", "/nope"),
    *("/admin/keys", "/admin/keys/", "/admin/settings", "/admin/nope", "/ADMIN/keys"),
)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    return gathered(tmp_path_factory.mktemp("people") / "keys.json")


@pytest.fixture(scope="module")
def running(models: Path, people: People) -> Iterator[Server]:
    settings = people.settings | {"ORDINATE_WORKERS": "1"}
    with Server(models, **settings, ORDINATE_LIMIT_ADDRESS_REQUESTS="1000/hour") as server:
        yield server


def service(models: Path, people: People, **env: str) -> Flask:
    own = {"ORDINATE_MODELS": str(models), "ORDINATE_REFRESH": "0"}
    return create_app(Config.from_env(own | people.settings | env))


def environ(method: str, target: str, key: str) -> dict[str, Any]:
    path, _, query = target.partition("?")
    shown = [("X-API-Key", key), ("Content-Type", "application/json")]
    body = b'{"x":[1,2,0.5]}'
    builder = EnvironBuilder("/", method=method, query_string=query, headers=shown, data=body)
    decoded = unquote_to_bytes(path).decode("latin-1")
    return builder.get_environ() | {"RAW_URI": target, "PATH_INFO": decoded}


def early(app: Flask, method: str, target: str, key: str) -> Outcome | None:
    """What is answered before the body is here."""
    fast = app.wsgi_app
    assert isinstance(fast, FastPath)
    found = fast.early(environ(method, target, key), LOCAL)
    return found and found[0]


def status(app: Flask, method: str, target: str, key: str) -> int:
    """What the whole request is answered with."""
    said: list[str] = []
    list(app.wsgi_app(environ(method, target, key), lambda line, _: said.append(line)))  # type: ignore[arg-type]
    return int(said[0].partition(" ")[0])


@pytest.mark.parametrize("default", ["tiny", "single", "nope"])
@pytest.mark.parametrize("who", ["tiny", "every", "ruler"])
def test_whoever_is_refused_with_the_body_is_refused_before_it_and_nobody_else(
    who: str, default: str, models: Path, people: People
) -> None:
    app = service(models, people, ORDINATE_MODEL=default, ORDINATE_OPENAPI="admin")
    key = getattr(people, who)

    for method, target in product(METHODS, PATHS):
        refused = early(app, method, target, key)

        is_forbidden = status(app, method, target, key) == 403
        assert (refused is not None) == is_forbidden, (method, target)
        assert refused is None or refused.status == 403


@pytest.mark.parametrize("framing", ["Content-Length: 4000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize(
    "line",
    ["POST /models/single/predict", "POST /models/single/versions/1/predict", "GET /admin/keys"],
)
def test_the_body_of_who_is_forbidden_is_not_waited_for(
    line: str, framing: str, running: Server, people: People
) -> None:
    shown = f"X-API-Key: {people.tiny}"
    with Wire(running) as wire:
        wire.send(headed(f"{line} HTTP/1.1", "Host: x", framing, shown))
        answer = wire.answer()
        with pytest.raises(EOFError):
            wire.answer()

    assert answer.status == 403
    assert '"requests-per-address";r=' in answer.headers["RateLimit"]


def test_who_may_ask_is_waited_for_and_counted_once(running: Server, people: People) -> None:
    request = post(b'{"x":[1,2,0.5]}', f"X-API-Key: {people.tiny}", target="/models/tiny/predict")

    def left(*pieces: bytes) -> int:
        with Wire(running) as wire:
            for piece in pieces[:-1]:
                wire.send(piece)
                running.get("/healthz")  # the one worker has seen it by then
            wire.send(pieces[-1])
            answer = wire.answer()
        assert answer.status == 200
        return int(answer.headers["RateLimit"].partition(";r=")[2].partition(";")[0])

    assert left(request[:-3], request[-3:]) == left(request) + 1


@pytest.mark.parametrize("early_too", [True, False], ids=["before the body", "with the body"])
@pytest.mark.parametrize("target", ["/models/single/predict", "/models/single/versions/1/predict"])
def test_what_is_forbidden_counts_and_tells_what_is_left(
    target: str, early_too: bool, models: Path, people: People, capfd: pytest.CaptureFixture[str]
) -> None:
    app = service(models, people, **LIMIT)
    shown = {"X-API-Key": people.tiny}

    def ask() -> tuple[int, str | None]:
        if early_too:
            found = early(app, "POST", target, people.tiny)
            assert found is not None
            return found.status, dict(found.headers).get("RateLimit")
        answer = app.test_client().post(target, json={"x": [1, 2, 0.5]}, headers=shown)
        return answer.status_code, answer.headers.get("RateLimit")

    found = [ask() for _ in range(4)]

    assert [each[0] for each in found] == [403, 403, 403, 429]
    assert [str(each[1]).partition(";t=")[0] for each in found] == [
        f'"requests-per-key";r={left}' for left in (2, 1, 0, 0)
    ]
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [each["key"] for each in lines[:3]] == ["tiny-only"] * 3
