"""The ways that a body can take into the service, and what must come out of each."""

import http.client
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask.testing import FlaskClient

from app.linear import Linear
from app.schema import Schema
from tests.fuzz.grammar import RIGHT, Body
from tests.support.models import fitted, linear_numbers
from tests.support.server import Server

JSON = {"Content-Type": "application/json"}
BY_FLASK = JSON | {"Accept": "application/json, text/plain;q=0.5"}
"""An Accept that the fast path leaves to Flask."""

Door = Callable[[str, bytes], tuple[int, bytes]]
"""Path and body to status and body."""


class Kept:
    """A connection that is opened again when the server closes it."""

    def __init__(self, server: Server, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        self._headers = headers

    def __call__(self, path: str, body: bytes) -> tuple[int, bytes]:
        self._connection.request("POST", path, body, self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        self._connection.close()


def direct(client: FlaskClient, headers: dict[str, str]) -> Door:
    """The application without a server."""

    def door(path: str, body: bytes) -> tuple[int, bytes]:
        answer = client.post(path, data=body, headers=headers)
        return answer.status_code, answer.data

    return door


@dataclass(frozen=True)
class Model:
    """A linear model that is served, and its numbers.

    Attributes:
        path: where it predicts.
        schema: what it takes.
        linear: how it predicts.
    """

    path: str
    schema: Schema
    linear: Linear

    @classmethod
    def fitted(cls, name: str, schema: Schema) -> "Model":
        """The model that `publish` publishes of this schema."""
        linear = Linear(linear_numbers(schema, fitted(schema)), schema)
        return cls(f"/models/{name}/predict", schema, linear)


def compare(model: Model, body: Body, doors: Sequence[Door]) -> int:
    """Ask at every door. Gives the status; raises AssertionError where an answer is not due."""
    answers = {door(model.path, body.text) for door in doors}
    assert len(answers) == 1, f"the doors differ: {answers} for {body.text!r}"
    ((status, answer),) = answers
    if body.kind != RIGHT:
        assert status == 400, f"{status} for {body.text!r}"
        assert set(json.loads(answer)) == {"error", "details"}
        return status
    assert status == 200, f"{status} {answer!r} for {body.text!r}"
    expected = [model.linear.predict_row(row) for row in body.rows]
    y = json.loads(answer)["y"]
    assert y == (expected[0] if body.single else expected), f"{y} for {body.text!r}"
    return status
