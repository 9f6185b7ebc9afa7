"""The threshold on a real event loop and real sockets, with somebody else to say who is refused."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.worker.doorstep import Doorstep
from app.worker.ends import Ends
from app.worker.heads import Environ, Head
from app.worker.threshold import Threshold
from tests.support.raw import headed, post
from tests.support.sockets import connected, run_until

REFUSAL = b"HTTP/1.1 503 SERVICE UNAVAILABLE\r\n\r\n"
LARGE = post(b" " * 200_000)
SMALL = post()
SECONDS = 20.0


class Doorkeeper:
    """Refuses everybody, or nobody."""

    def __init__(self, *, refuses: bool) -> None:
        self.refuses = refuses
        self.asked: list[Environ] = []

    def early(self, head: Head, ends: Ends) -> bytes | None:
        self.asked.append(ends.environ() | head.environ)
        return REFUSAL if self.refuses else None


class Case:
    """A threshold, and one client of it."""

    def __init__(self, *, refuses: bool = True, patience: float = SECONDS) -> None:
        self.loop = asyncio.new_event_loop()
        self.doorkeeper = Doorkeeper(refuses=refuses)
        self.gone: list[socket.socket] = []
        keeper: Any = self.doorkeeper
        self.doorstep = Doorstep(self.loop, self.gone.append)
        self.threshold = Threshold(keeper, {}, self.doorstep, self.loop, self.gone.append, patience)
        self.client, self.here = connected()

    def receive(self, request: bytes = b"") -> None:
        if request:
            self.client.sendall(request)
            assert self.here.recv(1, socket.MSG_PEEK | socket.MSG_WAITALL)
        self.here.setblocking(False)
        self.threshold.receive(self.here)

    def until(self, condition: Callable[[], object]) -> None:
        run_until(self.loop, condition)

    def close(self) -> None:
        self.threshold.close()
        self.client.close()
        self.here.close()
        self.loop.close()


@pytest.fixture
def make() -> Iterator[Callable[..., Case]]:
    made: list[Case] = []

    def case(**named: Any) -> Case:
        made.append(Case(**named))
        return made[-1]

    yield case
    for each in made:
        each.close()


def test_a_large_request_is_refused_by_its_head(make: Callable[..., Case]) -> None:
    case = make()

    case.receive(LARGE[:1000])

    assert case.client.recv(1000) == REFUSAL
    assert case.client.recv(1000) == b""
    assert (case.gone, case.threshold.held, case.doorstep.held) == ([], 0, 1)
    (asked,) = case.doorkeeper.asked
    assert asked["REMOTE_ADDR"] == "127.0.0.1"
    assert asked["SERVER_PORT"] == str(case.client.getpeername()[1])
    assert asked["PATH_INFO"] == "/predict"


@pytest.mark.parametrize(
    "request_bytes",
    [SMALL, LARGE[:40], b"\x16\x03\x01", headed("GET /healthz HTTP/1.1", "Host: x")],
)
def test_anything_else_goes_in_as_it_came(make: Callable[..., Case], request_bytes: bytes) -> None:
    case = make()

    case.receive(request_bytes)

    assert case.gone == [case.here]
    assert case.doorkeeper.asked == []
    assert case.here.recv(1000) == request_bytes


def test_a_large_request_that_is_not_refused_goes_in_as_it_came(make: Callable[..., Case]) -> None:
    case = make(refuses=False)

    case.receive(LARGE[:1000])

    assert case.gone == [case.here]
    assert len(case.doorkeeper.asked) == 1
    assert case.here.recv(1000) == LARGE[:1000]


def test_who_is_silent_is_looked_at_when_something_comes(make: Callable[..., Case]) -> None:
    case = make()
    case.receive()
    assert case.threshold.held == 1

    case.client.sendall(LARGE[:1000])
    case.until(lambda: bool(case.doorkeeper.asked))

    assert case.client.recv(1000) == REFUSAL
    assert (case.gone, case.threshold.held) == ([], 0)


def test_who_stays_silent_goes_in(make: Callable[..., Case]) -> None:
    case = make(patience=0.01)

    case.receive()
    case.until(lambda: bool(case.gone))

    assert case.gone == [case.here]
    assert case.threshold.held == 0


def test_who_goes_without_a_word_goes_in_and_is_noticed_there(make: Callable[..., Case]) -> None:
    case = make()
    case.receive()

    case.client.close()
    case.until(lambda: bool(case.gone))

    assert case.gone == [case.here]
    assert case.here.recv(1) == b""


def test_at_the_end_who_was_silent_goes_in(make: Callable[..., Case]) -> None:
    case = make()
    case.receive()

    case.threshold.close()

    assert (case.gone, case.threshold.held) == ([case.here], 0)
