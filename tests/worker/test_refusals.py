"""Requests that never reach the application: refused in its own form, and nobody else waits."""

import json
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from gunicorn.asgi import parser

from app import create_app
from app.config import Config
from app.errors import Overloaded, TooSlow
from app.http.service import EXTENSION
from app.worker.refusals import refuse
from tests.fuzz.serving import Process, Socket, connected
from tests.support.raw import headed, parsed, post
from tests.support.server import Server

HOST = b"Host: x\r\n"
POST = b"POST /predict HTTP/1.1\r\n" + HOST
REFUSED = {
    "bare line feeds": (b"GET /healthz HTTP/1.1\nHost: x\n\n", 400),
    "length and chunks": (
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "two lengths": (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    "a signed length": (POST + b"Content-Length: +3\r\n\r\nabc", 400),
    "a space before the colon": (POST + b"Authorization : Bearer canary\r\n\r\n", 400),
    "an unknown coding": (POST + b"Transfer-Encoding: xchunked\r\n\r\n", 501),
    "a coding that would be left on": (
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        501,
    ),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
    "NUL in the path": (b"GET /\0canary HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a folded header": (b"GET / HTTP/1.1\r\n" + HOST + b"X: canary\r\n b\r\n\r\n", 400),
    "a small method": (b"get /healthz HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "another expectation": (b"GET / HTTP/1.1\r\n" + HOST + b"Expect: canary\r\n\r\n", 417),
    "an address that is not closed": (b"GET http://[::1/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a long path": (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "a long header": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 9000 + b"\r\n\r\n", 431),
    "many headers": (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 110 + b"\r\n", 431),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("models")) as running:
        yield running


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def received(connection: socket.socket) -> bytes:
    """All bytes until the service closes the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def refused_so_far(server: Server, status: int) -> float:
    wanted = f'ordinate_requests_total{{method="other",route="(unparsed)",status="{status}"}} '
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted))


@pytest.mark.parametrize(("request_bytes", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_a_request_that_is_not_http_gets_our_error_and_is_counted(
    server: Server, request_bytes: bytes, status: int
) -> None:
    before = refused_so_far(server, status)

    with connect(server) as connection:
        connection.sendall(request_bytes + b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
        head, _, body = received(connection).partition(b"\r\n\r\n")

    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    assert lines[0].startswith(f"HTTP/1.1 {status} ")
    assert headers["Content-Type"] == "application/json"
    assert headers["Connection"] == "close"
    assert int(headers["Content-Length"]) == len(body)
    assert set(json.loads(body)) == {"error", "details"}
    assert b"canary" not in body
    assert refused_so_far(server, status) == before + 1
    server.wait_for(lambda: headers["X-Request-Id"] in server.log)
    assert "canary" not in server.log


def test_a_whole_request_is_answered_although_the_client_closed_its_side(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        connection.shutdown(socket.SHUT_WR)

        assert received(connection).startswith(b"HTTP/1.1 200 ")


def test_a_bad_rest_of_a_body_brings_no_second_answer(server: Server) -> None:
    bad = b"POST /nowhere HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"

    with connect(server) as connection:
        connection.sendall(bad + b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        answer = received(connection)

    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_clients_that_do_not_hang_up_hold_nobody_else_up(server: Server) -> None:
    lingering = [connect(server) for _ in range(30)]
    try:
        for connection in lingering:
            connection.sendall(b"rubbish\r\n\r\n")

        with urllib.request.urlopen(f"{server.url}/healthz", timeout=15) as answer:
            assert answer.status == 200
    finally:
        for connection in lingering:
            connection.close()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (parser.InvalidChunkSize("zz"), 400),
        (parser.InvalidProxyHeader("x"), 400),
        (TooSlow("x"), 408),
        (Overloaded("x"), 503),
        (RuntimeError("x"), 500),
    ],
)
def test_only_the_clients_faults_are_blamed_on_the_client(error: Exception, status: int) -> None:
    assert refuse(None, error, None).startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize(
    ("request_", "known"),
    [
        (post(b"{}", "X-Request-Id: mine")[:-1], ("POST", "/predict", "(unread)", "mine")),
        (
            headed("PUT /x HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", body=b"1\r\n"),
            ("PUT", "/x", "(unread)", None),
        ),
        (b"POST /predict HTTP/1.1\r\nX-Request-Id: mine", (None, None, "(unparsed)", None)),
    ],
    ids=["body", "chunk", "head"],
)
def test_of_who_is_too_slow_all_is_told_that_was_known(
    models: Path,
    capfd: pytest.CaptureFixture[str],
    request_: bytes,
    known: tuple[str | None, ...],
) -> None:
    service = create_app(Config.from_env({"ORDINATE_MODELS": str(models), "ORDINATE_REFRESH": "0"}))
    process, client = Process(service), Socket()

    with connected(process, client) as connection:
        connection.data_received(request_)
        connection.check_time(process.loop.time() + 31)

    process.loop.close()
    (answer,) = parsed(bytes(client.sent))
    assert answer.status == 408
    told = json.loads(capfd.readouterr().out)
    *where, given = known
    assert [told["method"], told["path"], told["route"]] == where
    assert told["request_id"] == answer.headers["X-Request-Id"] == (given or told["request_id"])
    counted = service.extensions[EXTENSION].metrics.render()[0].decode()
    assert 'ordinate_rejected_total{reason="too_slow"} 1' in counted
