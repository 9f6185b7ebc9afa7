"""What every answer carries, and what none does."""

import re

import pytest
from flask.testing import FlaskClient

from tests.support.raw import Wire, headed, post
from tests.support.server import Server

SANE = ["a", "A-1_b.c", "x" * 128, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]
INSANE = ["", " ", "a b", "x" * 129, "é", "a;b", "<script>", '"', "a/b", "\x1b[31m", "%0d%0a"]
TARGETS = ["/", "/models", "/models/tiny", "/healthz", "/readyz", "/version", "/metrics", "/nope"]


@pytest.mark.parametrize("given", SANE)
def test_sane_request_id_is_echoed(given: str, client: FlaskClient) -> None:
    answer = client.get("/healthz", headers={"X-Request-Id": given})

    assert answer.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", INSANE)
def test_other_request_id_is_replaced(given: str, client: FlaskClient) -> None:
    answer = client.get("/healthz", headers={"X-Request-Id": given})

    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_each_request_has_an_id_of_its_own(client: FlaskClient) -> None:
    ids = {client.get("/healthz").headers["X-Request-Id"] for _ in range(100)}

    assert len(ids) == 100


@pytest.mark.parametrize("ending", ["\r", "\n"])
def test_line_break_in_a_request_id_adds_no_header(ending: str, server: Server) -> None:
    line = f"X-Request-Id: a{ending}Set-Cookie: evil=1"

    with Wire(server) as wire:
        wire.send(headed("GET /healthz HTTP/1.1", "Host: localhost", line))
        wire.finish()
        answers = wire.answers()

    assert [answer.status for answer in answers] == [400]
    assert "Set-Cookie" not in answers[0].headers


@pytest.mark.parametrize("target", TARGETS)
def test_every_answer_forbids_guessing_its_type_and_keeping_it(
    target: str, client: FlaskClient
) -> None:
    answer = client.get(target)

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers.getlist("Cache-Control") == ["no-store"]


def test_so_do_those_that_flask_has_no_part_in(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(post())
        wire.send(post(b"no JSON"))
        wire.send(b"no HTTP\r\n\r\n")
        answers = wire.answers()

    assert [answer.status for answer in answers] == [200, 400, 400]
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("target", ["/", "/predict", "/models", "/nope"])
def test_foreign_origin_is_given_no_leave(method: str, target: str, client: FlaskClient) -> None:
    answer = client.open(
        target,
        method=method,
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
    )

    assert not [name for name in dict(answer.headers) if name.startswith("Access-Control")]


def test_refusal_has_an_id_as_well(client: FlaskClient) -> None:
    for target in ("/nope", "/predict"):
        answer = client.put(target, headers={"X-Request-Id": "mine"})

        assert answer.headers["X-Request-Id"] == "mine"


def test_request_is_logged_with_its_id_and_without_its_values(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(post(b'{"x":[31337.25,"canary",1]}', "X-Request-Id: logged-1"))
        refused = wire.answer()

    server.wait_for(lambda: '"request_id":"logged-1"' in server.log)
    assert refused.status == 400
    assert "31337.25" not in server.log
    assert "canary" not in server.log


def test_slashes_are_not_merged_by_a_redirect(client: FlaskClient) -> None:
    assert client.post("/models//tiny/predict", json={"x": [1, 2, 3]}).status_code == 404
