"""Clients that break off, or speak something else: nothing is left waiting, and nothing fails."""

import socket
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.framing import CHUNKED, GOOD, HOST, LENGTH, POST, TYPE
from tests.support.raw import Wire, headed, post
from tests.support.server import Server

RESET = struct.pack("ii", 1, 0)  # close with a reset instead of an end

CUT_SHORT = {
    "nothing": b"",
    "half-a-line": b"POST /pre",
    "half-a-head": headed(POST, HOST)[:-2],
    "no-body": headed(POST, HOST, TYPE, LENGTH),
    "half-a-body": headed(POST, HOST, TYPE, LENGTH, body=GOOD[:7]),
    "no-chunk": headed(POST, HOST, TYPE, CHUNKED),
    "half-a-chunk-size": headed(POST, HOST, TYPE, CHUNKED, body=b"f"),
    "half-a-chunk": headed(POST, HOST, TYPE, CHUNKED, body=b"f\r\n" + GOOD[:7]),
    "no-last-chunk": headed(POST, HOST, TYPE, CHUNKED, body=b"f\r\n" + GOOD + b"\r\n"),
    "no-end-of-trailers": headed(POST, HOST, TYPE, CHUNKED, body=b"f\r\n" + GOOD + b"\r\n0\r\n"),
    "a-whole-request": post(),
    "requests-and-a-half": post() * 3 + post()[:-3],
    "in-a-thread": headed("GET /models HTTP/1.1", HOST) * 3,
}

WHOLE = {"a-whole-request": 1, "requests-and-a-half": 3, "in-a-thread": 3}
"""How many requests of these are complete."""


@pytest.fixture(scope="module")
def brief(linear_models: Path) -> Iterator[Server]:
    """The service with a deadline that a test can wait for."""
    with Server(linear_models, ORDINATE_REQUEST_TIMEOUT="1", ORDINATE_WORKERS="1") as running:
        yield running


def connections(server: Server) -> int:
    """How many connections the service has, as Linux tells."""
    local = f":{server.port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    waiting = {"01", "08"}  # established, or closed by the client alone
    return sum(line[1].endswith(local) and line[3] in waiting for line in lines)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="this system has no /proc/net/tcp")
@pytest.mark.parametrize("sent", CUT_SHORT.values(), ids=CUT_SHORT)
@pytest.mark.parametrize("how", ["end", "reset"])
def test_client_that_breaks_off_leaves_nothing_behind(
    sent: bytes, how: str, server: Server
) -> None:
    begin = len(server.err)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as broken:
        broken.sendall(sent)
        if how == "reset":
            broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    server.wait_for(lambda: not connections(server))
    with Wire(server) as wire:
        wire.send(post())

        assert wire.answer().status == 200
    assert not [line for line in server.err[begin:] if '"level":"error"' in line]


def test_half_a_request_is_never_answered_as_a_whole_one(server: Server) -> None:
    for name, sent in CUT_SHORT.items():
        with Wire(server) as wire:
            wire.send(sent)
            wire.finish()
            statuses = [answer.status for answer in wire.answers()]

        assert statuses == [200] * WHOLE.get(name, 0), name


def test_tls_client_on_the_plain_port_is_told_or_left_within_the_deadline(brief: Server) -> None:
    context = ssl.create_default_context()
    with (
        socket.create_connection(("127.0.0.1", brief.port), timeout=20) as plain,
        pytest.raises(ssl.SSLError),
    ):
        context.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00" * 500])
def test_bytes_that_are_no_line_are_refused_at_the_deadline(noise: bytes, brief: Server) -> None:
    with Wire(brief) as wire:
        wire.send(noise)

        assert [answer.status for answer in wire.answers()] == [408]


def test_pipelined_requests_are_answered_in_order_whatever_they_are(server: Server) -> None:
    kinds = [
        (200, post()),
        (400, post(b'{"x":[1,2]}')),
        (404, post(target="/models/nobody/predict")),
        (405, headed("GET /predict HTTP/1.1", HOST)),
        (415, headed(POST, HOST, LENGTH, body=GOOD)),
        (200, headed("GET /models HTTP/1.1", HOST)),
        (400, post(b"{")),
        (406, headed(POST, HOST, TYPE, LENGTH, "Accept: text/csv", body=GOOD)),
    ]
    order = [kinds[number % len(kinds)] for number in range(100)]

    with Wire(server) as wire:
        wire.send(b"".join(sent for _, sent in order) + b"rubbish\r\n\r\n" + post() * 10)
        answers = wire.answers()

    assert [answer.status for answer in answers] == [status for status, _ in order] + [400]
    assert [answer.headers["Connection"] for answer in answers] == ["keep-alive"] * 100 + ["close"]
