"""The model that a request was let in for is the one that answers it, whatever becomes the default.

A key for `tiny` asks for the default model while that changes.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app import create_app
from app.config import Config
from app.http.fast import FastPath, Unfinished
from app.http.plain import plain_request
from app.http.service import EXTENSION, Service
from app.store import Store
from tests.http.test_fast import Answer, answered
from tests.support.api_keys import made
from tests.support.hostile import Case
from tests.support.models import PLAIN, SINGLE, publish
from tests.support.raw import Wire, headed
from tests.support.server import Server

ROW = b'{"x":[1,2,0.5]}'
WRONG = b'{"x":[' + b"[1,2,0.5]," * 4_000 + b'[1,2,"x"]]}'
NOT_PLAIN = {"HTTP_ACCEPT": "application/json, text/plain"}


class Scene:
    """A service with two models, of which a key opens one."""

    def __init__(self, root: Path) -> None:
        self.models, keys = root / "models", root / "keys.json"
        publish(self.models, "tiny", PLAIN, linear=True)
        publish(self.models, "secret", SINGLE, linear=True)
        self.key = made(keys, models=frozenset({"tiny"}))
        self.settings = {"ORDINATE_AUTH": "on", "ORDINATE_KEYS": str(keys)}
        env = {"ORDINATE_MODELS": str(self.models), "ORDINATE_REFRESH": "0"} | self.settings
        self.config = Config.from_env(env)
        self.app: Flask = create_app(self.config)
        fast = self.app.wsgi_app
        assert isinstance(fast, FastPath)
        self.fast: FastPath = fast

    def make_default(self, name: str) -> None:
        Store(self.models).set_default(name)
        self.served.registry.refresh()

    @property
    def served(self) -> Service:
        found: Service = self.app.extensions[EXTENSION]
        return found

    def ask(self, body: bytes, while_it_comes: Callable[[], None]) -> Answer:
        """Ask for the default model, by the way that Flask reads."""
        stream = {"wsgi.input": Slow(body, while_it_comes), "HTTP_X_API_KEY": self.key}
        return answered(self.app.wsgi_app, Case("slow", 0, body=body), **stream, **NOT_PLAIN)

    def plain(self, body: bytes) -> Any:
        kind, length = {"CONTENT_TYPE": "application/json"}, {"CONTENT_LENGTH": str(len(body))}
        line = {"REQUEST_METHOD": "POST", "PATH_INFO": "/predict"}
        found = plain_request(line | kind | length | {"HTTP_X_API_KEY": self.key})
        assert found is not None
        return found


class Slow:
    """A body during whose arrival something happens."""

    def __init__(self, body: bytes, then: Callable[[], None]) -> None:
        self._body, self._then = io.BytesIO(body), then

    def read(self, size: int = -1) -> bytes:
        self._then()
        return self._body.read(size)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path)
    made.make_default("tiny")
    return made


def test_a_default_that_changes_while_the_body_comes_does_not_answer(scene: Scene) -> None:
    status, headers, _ = scene.ask(ROW, lambda: scene.make_default("secret"))

    assert (status, headers["X-Model"]) == ("200 OK", "tiny/1")
    assert scene.ask(ROW, lambda: None)[0] == "403 FORBIDDEN"


def test_a_default_that_appears_while_the_body_comes_does_not_answer(scene: Scene) -> None:
    (scene.models / "default").unlink()
    scene.app = create_app(scene.config)

    status, headers, body = scene.ask(ROW, lambda: scene.make_default("secret"))

    assert status == "503 SERVICE UNAVAILABLE"
    assert b"there is no default model" in body
    assert "X-Model" not in headers


def test_what_was_found_before_the_key_was_looked_at_is_what_it_must_open(scene: Scene) -> None:
    plain = scene.plain(ROW)
    scene.make_default("secret")
    secret = scene.fast.quick(plain)
    assert secret is not None
    scene.make_default("tiny")

    assert scene.fast.respond(plain, ROW, secret)[0].status == 403
    tiny = scene.fast.quick(plain)
    scene.make_default("secret")
    outcome, _ = scene.fast.respond(plain, ROW, tiny)
    assert (outcome.status, outcome.model and outcome.model.label) == (200, "tiny/1")


def test_a_request_that_a_thread_takes_up_is_still_for_the_same_model(scene: Scene) -> None:
    plain = scene.plain(WRONG)
    with pytest.raises(Unfinished) as unfinished:
        scene.fast.respond(plain, WRONG, scene.fast.quick(plain), briefly=True)
    alone, _ = scene.fast.respond(plain, WRONG)

    scene.make_default("secret")
    outcome, _ = scene.fast.respond(plain, WRONG, unfinished=unfinished.value)

    assert outcome.status == 400
    assert outcome.body == alone.body


def test_so_it_is_behind_a_server_of_threads(scene: Scene) -> None:
    with Server(scene.models, ("-k", "gthread"), ORDINATE_WORKERS="1", **scene.settings) as server:
        shown = f"X-API-Key: {scene.key}"

        def beginning(wire: Wire) -> None:
            head = ("POST /predict HTTP/1.1", "Host: x", "Content-Type: application/json", shown)
            wire.send(headed(*head, "Transfer-Encoding: chunked", "Expect: 100-continue"))

        def status() -> int:
            with Wire(server) as other:
                beginning(other)
                other.send(b"f\r\n" + ROW + b"\r\n0\r\n\r\n")
                answer = other.answer()
                return answer.status if answer.status != 100 else other.answer().status

        with Wire(server) as wire:
            beginning(wire)
            assert wire.answer().status == 100  # its body is being read, so it is let in
            Store(scene.models).set_default("secret")
            server.wait_for(lambda: status() == 403)
            wire.send(b"f\r\n" + ROW + b"\r\n0\r\n\r\n")
            answer = wire.answer()

    assert (answer.status, answer.headers["X-Model"]) == (200, "tiny/1")
