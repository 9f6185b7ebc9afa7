"""How long a connection is kept for another request: as long as was set, and not at all for 0."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask

from app.config import Config
from app.worker.allowances import allowed
from app.worker.connection import Connection
from tests.fuzz.serving import Process, Socket, connected
from tests.support.raw import Wire, chunked, headed, post
from tests.support.server import Server

IDLE = 1.0
STATE = headed("GET /healthz HTTP/1.1", "Host: x")
IN_CHUNKS = headed(
    *("POST /predict HTTP/1.1", "Host: x", "Content-Type: application/json"),
    "Transfer-Encoding: chunked",
    body=chunked(b'{"x":[1,2,0.5]}'),
)


class Client(Socket):
    """A client's end that tells whether it was closed."""

    is_closed = False

    def close(self) -> None:
        self.is_closed = True


@dataclass
class Case:
    """A connection that may be idle for a second."""

    process: Process
    client: Client
    connection: Connection

    def ask(self) -> None:
        self.connection.data_received(STATE)
        self.process.work()

    def is_closed_at(self, now: float) -> bool:
        self.connection.check_time(now)
        return self.client.is_closed


@pytest.fixture
def case() -> Iterator[Case]:
    process, client = Process(Flask(__name__)), Client()
    process.limits = replace(process.limits, idle=IDLE)
    with connected(process, client) as connection:
        yield Case(process, client, connection)
    process.loop.close()


def test_what_was_before_the_answer_is_not_held_against_a_client(case: Case) -> None:
    now = case.process.loop.time()
    assert not case.is_closed_at(now)
    case.ask()

    looks = [case.is_closed_at(now + each) for each in (100.0, 100.5, 101.0, 101.5)]

    assert looks == [False, False, False, True]


def test_a_client_that_goes_on_asking_is_never_idle(case: Case) -> None:
    now = case.process.loop.time()

    for number in range(1, 20):
        case.ask()
        assert not case.is_closed_at(now + number * IDLE)
        assert not case.is_closed_at(now + (number + 0.9) * IDLE)


@pytest.mark.parametrize("asked", [post(), IN_CHUNKS, STATE], ids=["row", "chunks", "state"])
def test_zero_seconds_close_after_each_answer(linear_models: Path, asked: bytes) -> None:
    settings = {"ORDINATE_WORKERS": "1", "ORDINATE_KEEPALIVE": "0"}
    with Server(linear_models, **settings) as server, Wire(server) as wire:
        wire.send(asked * 2)

        (only,) = wire.answers()

    assert only.status == 200
    assert only.headers["Connection"] == "close"


@pytest.mark.parametrize(("seconds", "idle"), [(0, 30), (1, 1), (75, 75)])
def test_who_has_not_asked_yet_gets_the_time_to(seconds: int, idle: int) -> None:
    lines = {"limit_request_line": 1, "limit_request_fields": 1, "limit_request_field_size": 1}
    settings = SimpleNamespace(keepalive=seconds, threads=1, **lines)

    limits, _, _ = allowed(Config.from_env({}), settings)

    assert limits.idle == idle
