"""What is known of both ends of a connection."""

import asyncio
import gc
import socket
import struct
from typing import Any

import pytest
from flask import Flask, request

from app.http.plain import SENDER
from app.security import Sender
from app.worker.connection import Connection
from app.worker.ends import Ends
from app.worker.transport import SocketTransport
from tests.fuzz.serving import Process
from tests.support.raw import headed
from tests.support.sockets import connected, run_until

COMMON = {"wsgi.url_scheme": "http"}
LEFT = (Connection, SocketTransport, Ends)
CERTIFICATE = {"subject": ((("commonName", "press-7"),),)}


def gone() -> Any:
    raise OSError("closed")


@pytest.mark.parametrize(
    ("here", "there", "certificate", "expected"),
    [
        pytest.param(
            lambda: ("127.0.0.1", 8000),
            ("10.0.0.7", 40000),
            None,
            {
                "SERVER_NAME": "127.0.0.1",
                "SERVER_PORT": "8000",
                "REMOTE_ADDR": "10.0.0.7",
                "REMOTE_PORT": "40000",
                SENDER: Sender("10.0.0.7"),
            },
            id="IPv4",
        ),
        pytest.param(
            lambda: ("::1", 8000, 0, 0),
            ("2001:db8::7", 40000, 0, 0),
            CERTIFICATE,
            {
                "SERVER_NAME": "::1",
                "SERVER_PORT": "8000",
                "REMOTE_ADDR": "2001:db8::7",
                "REMOTE_PORT": "40000",
                SENDER: Sender("2001:db8::7", "press-7"),
            },
            id="IPv6, with a certificate",
        ),
        pytest.param(
            lambda: "/run/ordinate.sock",
            "",
            None,
            {
                "SERVER_NAME": "localhost",
                "SERVER_PORT": "80",
                "REMOTE_ADDR": "",
                SENDER: Sender(""),
            },
            id="a UNIX socket",
        ),
        pytest.param(
            gone,
            None,
            None,
            {
                "SERVER_NAME": "localhost",
                "SERVER_PORT": "80",
                "REMOTE_ADDR": "",
                SENDER: Sender(""),
            },
            id="gone",
        ),
    ],
)
def test_the_environment_has_both_ends(
    here: Any, there: Any, certificate: Any, expected: dict[str, Any]
) -> None:
    ends = Ends(COMMON, here, there, certificate)

    assert ends.environ() == COMMON | expected
    assert ends.sender == expected[SENDER]


def test_each_request_gets_an_environment_of_its_own() -> None:
    ends = Ends(COMMON, lambda: ("127.0.0.1", 8000), ("127.0.0.1", 1))

    ends.environ()["HTTP_HOST"] = "x"

    assert "HTTP_HOST" not in ends.environ()
    assert COMMON == {"wsgi.url_scheme": "http"}


@pytest.mark.parametrize("is_gone", [False, True])
def test_who_is_gone_passes_for_nobody_else(is_gone: bool) -> None:
    served: list[str] = []
    application = Flask(__name__)

    @application.get("/")
    def index() -> str:
        served.append(request.environ["REMOTE_ADDR"])
        return "seen"

    process = Process(application)
    client, here = connected()
    here.setblocking(False)
    client.sendall(headed("GET / HTTP/1.1", "Host: x"))
    if is_gone:  # what it has sent can still be read, but not who it was
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()

    SocketTransport(here, Connection(process, process.loop), process.turn, process.loop)
    run_until(process.loop, lambda: process.in_turn.waiting or here.fileno() < 0)
    process.work()
    client.close()
    run_until(process.loop, lambda: here.fileno() < 0)
    process.loop.close()

    assert served == ([] if is_gone else ["127.0.0.1"])
    assert process.connections == set()


def test_a_connection_that_is_over_leaves_nothing_to_be_collected() -> None:
    process = Process(Flask(__name__))
    client, here = connected()
    here.setblocking(False)
    gc.collect()
    before = [id(each) for each in gc.get_objects() if isinstance(each, LEFT)]
    gc.disable()
    try:
        connection = Connection(process, process.loop)
        SocketTransport(here, connection, process.turn, process.loop)
        client.close()
        del connection
        while here.fileno() >= 0:
            process.loop.run_until_complete(asyncio.sleep(0))
        left = [id(each) for each in gc.get_objects() if isinstance(each, LEFT)]
    finally:
        gc.enable()
        process.loop.close()

    assert set(left) <= set(before)
