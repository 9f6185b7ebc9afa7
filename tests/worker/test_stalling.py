"""Clients that take much: of time others have their turn between, of answers they get no more."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask, request

from app.worker.connection import Connection
from tests.fuzz.serving import MAX_BODY, Process, Socket, connected
from tests.support.raw import parsed, post

BODY = b"x" * MAX_BODY


class Client(Socket):
    """A client's end that tells whether it is read from."""

    _reads = True

    def pause_reading(self) -> None:
        self._reads = False

    def resume_reading(self) -> None:
        self._reads = True

    def is_reading(self) -> bool:
        return self._reads

    def get_write_buffer_size(self) -> int:
        return 0


class Brief:
    """An application whose answers need no thread."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, *arguments: Any) -> Iterable[bytes]:
        return self._application(*arguments)

    def is_brief(self, _path: str) -> bool:
        return True


@dataclass
class Case:
    """A connection to an application that tells how long a body is."""

    process: Process
    client: Client
    connection: Connection

    @property
    def held(self) -> int:
        """Bytes that count as held for all clients."""
        return self.process.responder.admission.budget.held

    def receive(self, data: bytes) -> None:
        self.connection.data_received(data)
        self.process.work()

    def turn(self) -> int:
        """Let the loop have one turn; how many were answered by then."""
        self.process.loop.call_soon(self.process.loop.stop)
        self.process.loop.run_forever()
        sending, self.process.late.sending = self.process.late.sending, []
        for send in sending:
            send()
        return len(parsed(bytes(self.client.sent)))

    def answers(self) -> list[bytes]:
        self.process.work()
        return [each.body for each in parsed(bytes(self.client.sent))]


@contextmanager
def begun(*, briefly: bool = False) -> Iterator[Case]:
    application = Flask(__name__)
    application.post("/length")(lambda: str(len(request.data)))
    if briefly:
        vars(application)["wsgi_app"] = Brief(application.wsgi_app)
    process, client = Process(application), Client()
    with connected(process, client) as connection:
        yield Case(process, client, connection)
    process.loop.close()


@pytest.fixture
def case() -> Iterator[Case]:
    with begun() as case:
        yield case


def asked(body: bytes) -> bytes:
    return post(body, target="/length")


def test_however_much_a_client_sends_others_have_their_turn_between() -> None:
    answered = [0]

    with begun(briefly=True) as case:
        while answered[-1] < 500:
            if len(answered) <= 5:
                case.connection.data_received(asked(b"1") * 100)
            answered.append(case.turn())

    assert max(after - before for before, after in pairwise(answered)) <= 2 * 16


def test_a_client_that_lets_an_answer_wait_is_not_read_until_it_has_taken_it(case: Case) -> None:
    case.receive(asked(b"1"))
    case.connection.pause_writing()
    before = case.client.is_reading()

    case.connection.resume_writing()

    assert not before
    assert case.client.is_reading()


def test_it_is_not_read_either_when_others_had_their_turn_meanwhile(case: Case) -> None:
    case.connection.data_received(asked(b"1") * 100)
    case.connection.pause_writing()

    case.process.work()

    assert not case.client.is_reading()
    assert len(case.answers()) < 100
    case.connection.resume_writing()
    assert case.answers() == [b"1"] * 100


def test_a_body_that_is_whole_behind_an_answer_that_waits_is_counted(case: Case) -> None:
    case.receive(asked(b"1") + asked(BODY)[:-1000])
    case.connection.pause_writing()

    case.receive(BODY[-1000:])  # as it may come, encrypted, with what was read before

    assert case.held == len(BODY)
    assert case.connection.idle_since() is None
    case.connection.resume_writing()
    assert case.answers() == [b"1", str(len(BODY)).encode()]
    assert case.held == 0


def test_it_counts_no_longer_when_its_client_is_gone(case: Case) -> None:
    case.receive(asked(BODY)[:-1])
    case.connection.pause_writing()
    case.receive(BODY[-1:])

    case.connection.connection_lost(None)

    assert case.held == 0
