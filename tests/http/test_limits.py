"""The limits on bodies, through a real server: exact, for both framings, and always answered."""

import http.client
import socket

import pytest

from tests.conftest import MAX_BODY_BYTES
from tests.support.raw import Wire, chunked, headed, post
from tests.support.server import Server

GOOD = b'{"x":[1,2,0.5]}'
HEAD = ("POST /predict HTTP/1.1", "Host: localhost", "Content-Type: application/json")


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY_BYTES, 200), (MAX_BODY_BYTES + 1, 413)])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_body_may_have_as_many_bytes_as_the_limit_and_not_one_more(
    framing: str, size: int, status: int, server: Server
) -> None:
    body = GOOD.ljust(size)
    sent = (
        post(body)
        if framing == "length"
        else headed(*HEAD, "Transfer-Encoding: chunked", body=chunked(body))
    )

    with Wire(server) as wire:
        wire.send(sent)

        assert wire.answer().status == status


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_client_that_sends_20_mb_before_it_listens_gets_its_413(
    framing: str, server: Server
) -> None:
    body = bytes(20_000_000)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)

    # An iterable without a length is sent in chunks.
    connection.request(
        "POST",
        "/predict",
        body if framing == "length" else (body[n : n + 65536] for n in range(0, len(body), 65536)),
        {"Content-Type": "application/json"},
    )
    answer = connection.getresponse()

    assert answer.status == 413
    assert b"1048576 bytes, the limit" in answer.read()
    connection.close()


@pytest.mark.parametrize(
    ("target", "content_type", "status"),
    [("/predict", "text/csv", 415), ("/nope", "application/json", 404)],
)
def test_large_body_does_not_cost_a_client_any_other_refusal(
    target: str, content_type: str, status: int, server: Server
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)

    connection.request("POST", target, bytes(20_000_000), {"Content-Type": content_type})
    answer = connection.getresponse()
    answer.read()
    connection.request("POST", "/predict", GOOD, {"Content-Type": "application/json"})
    after = connection.getresponse()
    after.read()

    assert (answer.status, after.status) == (status, 200)
    connection.close()


def test_body_far_over_the_limit_does_not_stop_the_service(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as endless:
        endless.sendall(headed(*HEAD, "Content-Length: 1000000000000"))

        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            pour(endless)

    with Wire(server) as wire:
        wire.send(post())

        assert wire.answer().status == 200


def pour(connection: socket.socket) -> None:
    """Send for as long as the other side lets it."""
    while True:
        connection.sendall(bytes(1 << 20))
