"""Nobody can tell whether a request took the fast path."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from app.http.fast import FastPath
from tests.support.hostile import DOCUMENTS, NUMBERS, ROWS, Case

CASES = [Case("good", 200), Case("rows", 200, b'{"x":[[1,2,0.5]]}'), *DOCUMENTS, *NUMBERS, *ROWS]
OF_EACH_REQUEST = {"X-Request-Id"}

Answer = tuple[str, dict[str, str], bytes]


@pytest.fixture
def application(client: FlaskClient) -> Flask:
    return client.application


def answered(application: Any, case: Case, **changes: Any) -> Answer:
    """What a WSGI application answers."""
    builder = EnvironBuilder(
        case.target, method=case.method, headers=list(case.headers.items()), data=case.body
    )
    environ = builder.get_environ() | changes
    said: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        said[:] = status, headers

    body = b"".join(application(environ, start_response))
    headers = {name: value for name, value in said[1] if name not in OF_EACH_REQUEST}
    return said[0], headers, body


def refuse(_environ: Any, _start_response: Callable[..., Any]) -> list[bytes]:
    raise AssertionError("the request did not take the fast path")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_ways_give_the_same_answer(case: Case, application: Flask) -> None:
    fast = application.wsgi_app
    assert isinstance(fast, FastPath)

    assert answered(fast, case) == answered(fast._application, case)


def test_a_plain_prediction_takes_the_fast_path(application: Flask) -> None:
    fast = application.wsgi_app
    assert isinstance(fast, FastPath)
    alone = FastPath(refuse, fast._served, fast._routes)

    for target in ("/predict", "/models/tiny/predict"):
        status, headers, body = answered(alone, Case("good", 200, target=target))

        assert status == "200 OK"
        assert headers["X-Model"] == "tiny/2"
        assert body.startswith(b'{"y":')


@pytest.mark.parametrize(
    "changes",
    [
        {"REQUEST_METHOD": "PUT"},
        {"CONTENT_TYPE": "application/json; charset=utf-8"},
        {"HTTP_ACCEPT": "text/html"},
        {"HTTP_CONTENT_ENCODING": "gzip"},
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "+5"},
        {"CONTENT_LENGTH": "99999999999"},
        {"PATH_INFO": "/models/tiny/versions/1/predict"},
        {"PATH_INFO": "/models/TINY/predict"},
    ],
    ids=str,
)
def test_whatever_needs_interpretation_is_left_to_flask(
    changes: dict[str, str], application: Flask
) -> None:
    fast = application.wsgi_app
    assert isinstance(fast, FastPath)
    alone = FastPath(refuse, fast._served, fast._routes)

    with pytest.raises(AssertionError, match="did not take"):
        answered(alone, Case("good", 200), **changes)


def test_a_body_that_ends_early_is_refused_alike(application: Flask) -> None:
    fast = application.wsgi_app
    assert isinstance(fast, FastPath)
    half = {"CONTENT_LENGTH": "50", "wsgi.input": io.BytesIO(b'{"x":[1,')}

    status, _, body = answered(fast, Case("half", 400), **half)
    half["wsgi.input"] = io.BytesIO(b'{"x":[1,')

    assert status == "400 BAD REQUEST"
    assert answered(fast._application, Case("half", 400), **half)[2] == body
