"""Over TLS all is as it is without: requests of any size, slow clients, refusals, a stop."""

import json
import signal
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.certificates import Certificates
from tests.support.raw import Wire, chunked, headed, post
from tests.support.server import Server
from tests.tls.conftest import noise

HSTS = "max-age=63072000"
ROW = b"[1,2,0.5]"
MANY = 60_000
HEAD = ("POST /predict HTTP/1.1", "Host: x", "Content-Type: application/json")
LONG = headed(*HEAD, "Content-Length: 9000000")
REFUSED = {
    "not HTTP": (b"\x00\r\n\r\n", 400),
    "too many headers": (headed("GET / HTTP/1.1", "Host: x", *["A: b"] * 200), 431),
    "a long line": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", 414),
    "unknown": (headed("GET /nowhere HTTP/1.1", "Host: x"), 404),
    "a wrong value": (post(b'{"x":["1",2,3]}'), 400),
    "a wrong type": (headed(*HEAD[:2], "Content-Length: 0"), 415),
    "never finished": (post()[:-1], 408),
    "too long": (headed(*HEAD, "Content-Length: 90000000"), 413),
}


class Client:
    """TLS that can be half-closed, which Python's sockets cannot."""

    def __init__(self, server: Server) -> None:
        assert server.tls is not None
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = server.tls.wrap_bio(self._arrived, self._leaving, server_hostname="localhost")
        self._until_done(self._tls.do_handshake)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def say_last(self, data: bytes) -> None:
        """Send, then say that nothing will follow."""
        self._tls.write(data)
        with pytest.raises(ssl.SSLWantReadError):
            self._tls.unwrap()
        self._socket.sendall(self._leaving.read())

    def vanish(self, data: bytes) -> None:
        """Send, then close this direction without a word of TLS."""
        if data:
            self._tls.write(data)
            self._socket.sendall(self._leaving.read())
        self._socket.shutdown(socket.SHUT_WR)

    def ask(self, request: bytes) -> bytes:
        """The beginning of its answer."""
        self._tls.write(request)
        self._socket.sendall(self._leaving.read())
        while True:
            self._arrived.write(self._socket.recv(65536))
            with suppress(ssl.SSLWantReadError):
                return self._tls.read(65536)

    def rest(self) -> bytes:
        """All that is still to come, to the goodbye of TLS and the end of the connection."""
        found = b""
        while arrived := self._socket.recv(65536):
            self._arrived.write(arrived)
        try:
            while piece := self._tls.read(65536):
                found += piece
        except ssl.SSLZeroReturnError:
            pass
        return found

    def _until_done(self, step: object) -> None:
        assert callable(step)
        while True:
            try:
                step()
                self._socket.sendall(self._leaving.read())
                return
            except ssl.SSLWantReadError:
                self._socket.sendall(self._leaving.read())
                self._arrived.write(self._socket.recv(65536))


@pytest.mark.parametrize(("sent", "status"), REFUSED.values(), ids=REFUSED)
def test_every_refusal_asks_to_come_back_by_tls_alone(
    encrypted: Server, sent: bytes, status: int
) -> None:
    with Wire(encrypted) as wire:
        wire.send(sent)

        answer = wire.answer()

    assert answer.status == status
    assert answer.headers["Strict-Transport-Security"] == HSTS


@pytest.mark.parametrize("target", ["/healthz", "/metrics", "/models", "/version"])
def test_so_does_every_answer(encrypted: Server, target: str) -> None:
    with Wire(encrypted) as wire:
        for _ in range(2):
            wire.send(headed(f"GET {target} HTTP/1.1", "Host: x"))

            answer = wire.answer()

            assert answer.status == 200
            assert answer.headers["Strict-Transport-Security"] == HSTS


def test_no_answer_without_tls_does(server: Server) -> None:
    for sent in (b"\x00\r\n\r\n", post(), post(b"{"), headed("GET / HTTP/1.1", "Host: x")):
        with Wire(server) as wire:
            wire.send(sent)

            assert "Strict-Transport-Security" not in wire.answer().headers


def test_a_connection_is_kept_and_requests_sent_together_are_answered_in_order(
    encrypted: Server,
) -> None:
    with Wire(encrypted) as wire:
        for _ in range(2):
            wire.send(b"".join(post(b'{"x":[%d,2,0.5]}' % number) for number in range(100)))
            found = [wire.answer().json["y"] for _ in range(100)]

            assert len(set(found)) == 100
            assert found == sorted(found) or found == sorted(found, reverse=True)


def test_a_request_in_single_bytes_is_a_request(encrypted: Server) -> None:
    with Wire(encrypted) as wire:
        for byte in post():
            wire.send(bytes([byte]))

        assert wire.answer().status == 200


@pytest.mark.parametrize("in_chunks", [False, True])
def test_bodies_of_megabytes_arrive_and_are_answered_whole(
    encrypted: Server, in_chunks: bool
) -> None:
    body = b'{"x":[%s]}' % b",".join([b"[1.0000000000000000000,2,0.500000000000000]"] * MANY)
    sent = (
        headed(*HEAD, "Transfer-Encoding: chunked", body=chunked(body)) if in_chunks else post(body)
    )

    with Wire(encrypted) as wire:
        for _ in range(2):
            wire.send(sent)
            predicted = wire.answer().json["y"]

            assert len(predicted) == MANY
            assert len(set(predicted)) == 1


def test_a_client_that_is_refused_while_it_sends_gets_to_read_why(encrypted: Server) -> None:
    """TCP would throw the answer away if the service closed before it has read on."""
    with Wire(encrypted) as wire:
        sending = threading.Thread(target=wire.send, args=(LONG + bytes(9_000_000),))
        sending.start()
        sending.join()

        answer = wire.answer()

    assert answer.status == 413
    assert json.loads(answer.body)["error"].startswith("the body has more than")


@pytest.mark.parametrize("how", ["say_last", "vanish"])
def test_a_client_that_closes_its_side_is_answered_first(encrypted: Server, how: str) -> None:
    with Client(encrypted) as client:
        getattr(client, how)(post() + headed("GET /version HTTP/1.1", "Host: x"))

        found = client.rest()

    assert found.count(b"HTTP/1.1 200 ") == 2


def test_one_that_closes_its_side_when_it_has_its_answers_hears_goodbye(encrypted: Server) -> None:
    with Client(encrypted) as client:
        answer = client.ask(post())
        client.vanish(b"")

        assert client.rest() == b""  # and not that it is cut

    assert answer.startswith(b"HTTP/1.1 200 ")


def test_one_that_closes_its_side_within_a_request_is_not(encrypted: Server) -> None:
    with Client(encrypted) as client:
        client.say_last(post()[:-1])

        assert client.rest() == b""


def test_a_slow_reader_gets_all_of_its_answers_and_keeps_nobody_waiting(encrypted: Server) -> None:
    body = b'{"x":[%s]}' % b",".join([ROW] * MANY)
    with Wire(encrypted) as slow:
        for _ in range(4):
            slow.send(post(body))
        with Wire(encrypted) as other:
            other.send(post())
            assert other.answer().status == 200

        assert [len(slow.answer().json["y"]) for _ in range(4)] == [MANY] * 4


def test_a_client_that_does_not_take_its_answers_is_sent_away(encrypted: Server) -> None:
    body = b'{"x":[%s]}' % b",".join([ROW] * MANY)
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.settimeout(20)
        plain.connect(("127.0.0.1", encrypted.port))
        assert encrypted.tls is not None
        client = encrypted.tls.wrap_socket(plain, server_hostname="localhost")

        with client, pytest.raises((ConnectionResetError, BrokenPipeError, ssl.SSLEOFError)):
            client.sendall(post(body) * 100)


def test_a_stop_answers_what_was_asked_and_says_goodbye(
    certificates: Certificates, linear_models: Path
) -> None:
    settings = certificates.settings() | {"ORDINATE_WORKERS": "1"}
    with Server(linear_models, (), certificates.trusting(), **settings) as server:
        unfinished = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        with unfinished, Wire(server) as idle, Wire(server) as busy:
            idle.send(post())
            assert idle.answer().status == 200
            busy.send(post()[:-1])
            server.process.send_signal(signal.SIGTERM)
            assert not idle.answers()  # it is closed, so the worker knows that it is to stop
            busy.send(post()[-1:])

            assert busy.answer().headers["Connection"] == "close"
            assert unfinished.recv(1) == b""
        assert server.stop() == 0
    assert noise(server) == ""
