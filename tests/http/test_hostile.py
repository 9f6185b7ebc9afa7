"""Every hostile case gets the stated answer, without a server and through a real one."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.conftest import LIMITS
from tests.support.hostile import DOCUMENTS, NUMBERS, PATHS, ROWS, TYPES, Case
from tests.support.server import ROOT, Server

CASES = DOCUMENTS + NUMBERS + ROWS + TYPES + PATHS


@pytest.fixture(scope="module")
def threads(models: Path) -> Iterator[Server]:
    """The service behind gunicorn's own worker of threads."""
    with Server(models, ("-k", "gthread"), ORDINATE_WORKERS="1", **LIMITS) as running:
        yield running


@pytest.fixture(scope="module")
def pickles(models: Path) -> Iterator[Server]:
    """The service with pickles alone, whose predictions are left to threads."""
    with Server(models, ORDINATE_RUNTIME="pickle", **LIMITS) as running:
        yield running


@pytest.fixture(scope="module", params=["server", "threads", "pickles"])
def connection(request: pytest.FixtureRequest) -> Iterator[http.client.HTTPConnection]:
    """One that stays open from case to case, as far as the server lets it."""
    server: Server = request.getfixturevalue(request.param)
    kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    yield kept
    kept.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_is_answered_as_stated_and_alike_with_and_without_a_server(
    case: Case, client: FlaskClient, connection: http.client.HTTPConnection
) -> None:
    direct = client.open(
        case.target, method=case.method, headers=dict(case.headers), data=case.body
    )

    status, headers, body = sent(connection, case)

    assert (direct.status_code, status) == (case.status, case.status), body
    if body != direct.data:  # a pickle may add in another order
        assert json.loads(body) == {"y": pytest.approx(json.loads(direct.data)["y"], rel=1e-12)}
    if status >= 400 and case.method != "HEAD":
        assert headers["Content-Type"] == "application/json"
        assert_says(json.loads(body), case.says)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_next_request_on_the_connection_is_served(
    case: Case, connection: http.client.HTTPConnection
) -> None:
    sent(connection, case)

    status, _, body = sent(connection, Case("next", 200))

    assert status == 200
    assert body.startswith(b'{"y":')


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "FOO"])
def test_wrong_method_is_told_the_right_one(
    method: str, client: FlaskClient, connection: http.client.HTTPConnection
) -> None:
    direct = client.open("/predict", method=method)

    status, headers, _ = sent(connection, Case("method", 405, b"", method=method))

    assert status == direct.status_code == 405
    assert headers["Allow"] == direct.headers["Allow"] == "OPTIONS, POST"


def test_there_are_enough_cases_and_none_twice() -> None:
    names = [case.name for case in CASES]

    assert len(names) >= 150
    assert len(set(names)) == len(names)


def sent(
    connection: http.client.HTTPConnection, case: Case
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """The answer of the server. No header is added but the length and Host."""
    connection.putrequest(case.method, case.target, skip_accept_encoding=True)
    for name, value in {**case.headers, "Content-Length": str(len(case.body))}.items():
        connection.putheader(name, value)
    connection.endheaders(case.body)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def assert_says(error: Any, text: str) -> None:
    """The body is an error in the native shape that contains this text."""
    assert set(error) == {"error", "details"}
    assert isinstance(error["error"], str)
    assert error["error"]
    for detail in error["details"]:
        assert set(detail) == {"row", "feature", "problem", "got"}
    told = [error["error"], *(detail["problem"] for detail in error["details"])]
    assert text in " ".join(told)
    for inside in ("Traceback", ".py", "site-packages", "app.", str(ROOT)):
        assert inside not in json.dumps(error)
