"""Slow, early and impatient clients: each gets what it deserves, and nobody else waits for them."""

import json
import os
import select
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.server import Server

TIMEOUT = "2"
CROWD = 200
BODY = b'{"x":[1,2,0.5]}'
REQUEST = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
) + BODY
UNKNOWN = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def server(linear_models: Path) -> Iterator[Server]:
    """One worker with two threads, so that there is little for a crowd to take."""
    settings = {"ORDINATE_WORKERS": "1", "ORDINATE_THREADS": "2"}
    with Server(linear_models, ORDINATE_REQUEST_TIMEOUT=TIMEOUT, **settings) as running:
        yield running


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def received(connection: socket.socket) -> bytes:
    """All bytes until the service closes the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def answers(server: Server) -> bool:
    """Whether a healthy client is served, by the event loop and by a thread."""
    request = urllib.request.Request(
        f"{server.url}/predict", BODY, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        predicted = "y" in json.load(answer)
    with urllib.request.urlopen(f"{server.url}/version", timeout=20) as answer:
        return predicted and bool(answer.status == 200)


def test_a_crowd_that_asks_in_the_same_moment_is_answered_whole(server: Server) -> None:
    (worker,) = server.workers()
    with ExitStack() as stack:
        crowd = [stack.enter_context(connect(server)) for _ in range(CROWD)]
        for _ in range(2):  # the first time to be sure that all are connected
            os.kill(worker, signal.SIGSTOP)
            for client in crowd:
                client.sendall(REQUEST)
            os.kill(worker, signal.SIGCONT)

            assert {client.recv(65536)[:12] for client in crowd} == {b"HTTP/1.1 200"}


@pytest.mark.parametrize(
    "begun", [b"POST /predict HTTP/1.1\r\nHo", REQUEST[:-5]], ids=["head", "body"]
)
def test_clients_that_never_finish_hold_nobody_up_and_are_sent_away(
    server: Server, begun: bytes
) -> None:
    crowd = [connect(server) for _ in range(CROWD)]
    for connection in crowd:
        connection.sendall(begun)

    assert answers(server)

    for connection in crowd:
        with connection:
            assert received(connection).startswith(b"HTTP/1.1 408 ")


def test_a_byte_now_and_then_does_not_put_the_deadline_off(server: Server) -> None:
    with connect(server) as connection:
        connection.settimeout(0.1)
        connection.sendall(REQUEST[:-5])
        head = b""
        until = time.monotonic() + 20
        while not head and time.monotonic() < until:
            connection.sendall(b" ")
            try:
                head = connection.recv(65536)
            except TimeoutError:
                continue

    assert head.startswith(b"HTTP/1.1 ")


def test_clients_that_do_not_read_their_answers_are_let_go(server: Server) -> None:
    greedy = connect(server)
    greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    greedy.settimeout(20)

    requests = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 1_000_000
    with greedy, pytest.raises(OSError, match=r"reset|timed out|Broken pipe"):
        greedy.sendall(requests)

    assert answers(server)


def test_a_request_is_answered_however_it_is_cut_up(server: Server) -> None:
    with connect(server) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(len(REQUEST)):
            connection.sendall(REQUEST[place : place + 1])
        connection.shutdown(socket.SHUT_WR)

        answer = received(connection)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b'{"y":') == 1


def test_pipelined_requests_are_answered_in_order_up_to_the_first_bad_one(server: Server) -> None:
    good = [REQUEST, UNKNOWN] * 50

    with connect(server) as connection:
        connection.sendall(b"".join([*good, b"rubbish\r\n\r\n", *good]))
        answer = received(connection)

    shown = answer.replace(b"}HTTP/1.1 ", b"}\r\nHTTP/1.1 ").split(b"\r\n")
    statuses = [line.split()[1] for line in shown if line.startswith(b"HTTP/1.1 ")]
    assert statuses == [b"200", b"404"] * 50 + [b"400"]


@pytest.mark.parametrize("request_bytes", [REQUEST, UNKNOWN], ids=["at once", "in a thread"])
def test_what_was_asked_before_the_client_closed_its_side_is_answered(
    server: Server, request_bytes: bytes
) -> None:
    with connect(server) as connection:
        connection.sendall(request_bytes * 3)
        connection.shutdown(socket.SHUT_WR)

        assert received(connection).count(b"HTTP/1.1 ") == 3


def test_half_a_request_is_given_up_when_the_client_closes_its_side(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(REQUEST[:-1])
        connection.shutdown(socket.SHUT_WR)

        assert b"200" not in received(connection)


def test_told_to_stop_the_service_loses_no_request_of_a_busy_client(linear_models: Path) -> None:
    with Server(linear_models, ORDINATE_WORKERS="2") as server:
        lost: list[bytes] = []
        served = threading.Barrier(5)
        clients = [
            threading.Thread(target=_ask_until_told_to_go, args=(server, served, lost))
            for _ in range(4)
        ]
        for client in clients:
            client.start()
        served.wait(20)

        code = server.stop(signal.SIGTERM)

        for client in clients:
            client.join(20)
        assert code == 0
        assert not lost


def _ask_until_told_to_go(server: Server, served: threading.Barrier, lost: list[bytes]) -> None:
    """Send requests on one connection until an answer says that it is the last."""
    with connect(server) as connection:
        for count in range(100_000):
            if count == 50:
                served.wait(20)
            connection.sendall(REQUEST)
            answer = b""
            while b'{"y":' not in answer or not answer.endswith(b"}"):
                piece = connection.recv(65536)
                if not piece:
                    lost.append(answer)
                    return
                answer += piece
            if b"Connection: close" in answer:
                return


def test_a_head_too_long_to_be_plain_is_answered_all_the_same(server: Server) -> None:
    long = REQUEST.replace(b"\r\n\r\n", b"\r\nX: " + b"a" * 5000 + b"\r\n\r\n")

    with connect(server) as connection:
        connection.sendall(long * 2)
        connection.shutdown(socket.SHUT_WR)

        assert received(connection).count(b"HTTP/1.1 200 ") == 2


def test_a_client_that_still_sends_gets_the_time_to_read_why_it_is_refused(server: Server) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    size = (8 << 20) + 1
    with connect(server) as connection:
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % size)
        for _ in range(6):  # half a second apart, longer than an idle client is given
            connection.sendall(b" " * 1000)
            assert not select.select([connection], [], [], 0.5)[0] or peeked(connection)
        connection.shutdown(socket.SHUT_WR)

        assert received(connection).startswith(b"HTTP/1.1 413 ")


def peeked(connection: socket.socket) -> bytes:
    """What has arrived, left where it is; nothing if the other side has closed."""
    return connection.recv(1, socket.MSG_PEEK)
