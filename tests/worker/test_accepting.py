"""Taking in connections: what those who are taken in have."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.config import Config
from app.worker.accepting import Acceptor
from app.worker.connection import Connection
from tests.fuzz.serving import Process
from tests.support.sockets import run_until


@pytest.fixture
def process() -> Iterator[Process]:
    made = Process(Flask(__name__))
    yield made
    for each in list(made.connections):
        assert isinstance(each, Connection)
        each.close()
    run_until(made.loop, lambda: not made.connections)
    made.loop.close()


@pytest.mark.parametrize("kind", [socket.AF_INET, socket.AF_UNIX])
def test_an_answer_does_not_wait_until_those_before_are_acknowledged(
    process: Process, tmp_path: Path, kind: socket.AddressFamily
) -> None:
    warnings: list[str] = []
    with socket.socket(kind) as listener, socket.socket(kind) as client:
        listener.bind(("127.0.0.1", 0) if kind == socket.AF_INET else str(tmp_path / "socket"))
        listener.listen()
        listener.setblocking(False)
        acceptor = Acceptor(
            process, listener, None, most=9, loop=process.loop, warn=warnings.append
        )
        acceptor.start()
        client.connect(listener.getsockname())
        run_until(process.loop, lambda: process.connections)
        (taken,) = process.connections
        assert isinstance(taken, Connection)
        assert taken._transport is not None
        end = taken._transport.get_extra_info("socket")
        if kind == socket.AF_INET:
            assert end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        acceptor.stop()

    assert end.family == kind
    assert warnings == []


def test_who_is_closed_for_want_of_room_for_a_handshake_is_counted(models: Path) -> None:
    settings = {"ORDINATE_MODELS": str(models), "ORDINATE_REFRESH": "0"}
    application = create_app(Config.from_env(settings))
    process = Process(application)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        acceptor = Acceptor(
            process, listener, ssl.create_default_context, most=0, loop=process.loop, warn=print
        )
        acceptor.start()
        with socket.create_connection(listener.getsockname()) as client:
            client.setblocking(False)
            run_until(process.loop, lambda: is_closed(client))
        acceptor.stop()
    process.loop.close()

    metrics = application.extensions["ordinate"].metrics.render()[0].decode()
    assert 'ordinate_rejected_total{reason="overloaded"} 1.0' in metrics


def is_closed(client: socket.socket) -> bool:
    """Whether the other end has hung up, without a word."""
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
