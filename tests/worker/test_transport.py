"""The transport of a socket on a real event loop; its protocol writes down what it hears."""

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from app.worker.transport import SocketTransport
from app.worker.turn import Turn
from tests.support.sockets import connected, run_until

MUCH = bytes(32 << 20)
"""More than the system keeps for a client that does not read."""


class Told(asyncio.Protocol):
    """Writes down what it is told, and does what a test says."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.data = b""
        self.stays_open = False
        self.on_data: Callable[[], object] = lambda: None
        self.on_resume: Callable[[], object] = lambda: None

    def connection_made(self, _transport: asyncio.BaseTransport) -> None:
        self.events.append("made")

    def connection_lost(self, error: Exception | None) -> None:
        self.events.append(f"lost {type(error).__name__}")

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.on_data()

    def eof_received(self) -> bool:
        self.events.append("eof")
        return self.stays_open

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")
        self.on_resume()


class Case:
    """A transport, its protocol, and the client at the other end."""

    def __init__(self, turn: Turn, loop: asyncio.AbstractEventLoop) -> None:
        self.loop, self.told = loop, Told()
        self.client, self.here = connected()
        self.here.setblocking(False)
        self.client.setblocking(False)
        self.transport = SocketTransport(self.here, self.told, turn, loop)

    def until(self, condition: Callable[[], object]) -> None:
        run_until(self.loop, condition)

    def turn(self) -> None:
        """All that is to be done now, and what that leads to."""
        for _ in range(3):
            self.loop.run_until_complete(asyncio.sleep(0))

    def read_all(self, size: int | None = None) -> bytes:
        """What the client gets until the end, or so many bytes of it."""
        found = bytearray()

        def is_over() -> bool:
            try:
                piece = self.client.recv(1 << 20)
            except BlockingIOError:
                return False
            found.extend(piece)
            return not piece or len(found) == size

        self.until(is_over)
        return bytes(found)

    def reset(self) -> None:
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.close()


@pytest.fixture
def make() -> Iterator[Callable[[], Case]]:
    turn = Turn()
    loop = asyncio.SelectorEventLoop(turn)
    turn.belong(loop)
    made: list[Case] = []

    def case() -> Case:
        made.append(Case(turn, loop))
        return made[-1]

    yield case
    for each in made:
        each.transport.abort()
        each.client.close()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert [each.here.fileno() for each in made] == [-1] * len(made)


@pytest.fixture
def case(make: Callable[[], Case]) -> Case:
    return make()


def test_what_comes_is_told_and_what_is_written_is_sent_at_once(case: Case) -> None:
    case.client.send(b"a request")
    case.until(lambda: case.told.data == b"a request")

    case.transport.write(b"an ")
    case.transport.write(memoryview(b"answer"))

    assert case.read_all(9) == b"an answer"
    assert case.told.events == ["made"]


@pytest.mark.parametrize("size", [(1 << 14) - 1, 1 << 14, (1 << 14) + 1, 3 << 20])
def test_bodies_of_any_size_arrive_whole(case: Case, size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    sent = 0

    def is_here() -> bool:
        nonlocal sent
        with suppress(BlockingIOError):
            sent += case.client.send(body[sent:size])
        return len(case.told.data) == size

    case.until(is_here)

    assert case.told.data == body[:size]


def test_what_the_system_does_not_take_is_sent_later_and_in_order(case: Case) -> None:
    case.transport.write(MUCH)
    waiting = case.transport.get_write_buffer_size()
    case.transport.write(b"behind it")

    assert case.transport.get_write_buffer_size() == waiting + len(b"behind it")
    assert case.told.events == ["made", "pause"]

    assert case.read_all(len(MUCH) + 9) == MUCH + b"behind it"
    case.turn()
    assert case.told.events == ["made", "pause", "resume"]
    assert case.transport.get_write_buffer_size() == 0


def test_who_writes_when_he_may_again_may_have_to_wait_again(case: Case) -> None:
    def write_once_more() -> None:
        if len(case.told.events) == 3:
            case.transport.write(MUCH)

    case.told.on_resume = write_once_more
    case.transport.write(MUCH)
    case.transport.close()

    assert len(case.read_all()) == 2 * len(MUCH)
    case.turn()
    assert case.told.events == ["made", "pause", "resume", "pause", "resume", "lost NoneType"]


@pytest.mark.parametrize("way", ["close", "write_eof"])
def test_all_is_sent_before_an_end(case: Case, way: str) -> None:
    case.transport.write(MUCH)
    getattr(case.transport, way)()

    assert case.read_all() == MUCH
    case.turn()
    assert (case.here.fileno() == -1) == (way == "close")


def test_nothing_is_read_of_what_comes_when_it_is_being_closed(case: Case) -> None:
    case.transport.write(MUCH)
    case.transport.close()

    case.client.send(b"too late")
    case.turn()

    assert case.told.data == b""
    assert case.transport.is_closing()


def test_an_end_of_ours_leaves_the_clients_direction_open(case: Case) -> None:
    case.transport.write(b"no")
    case.transport.write_eof()
    case.client.send(b"but I have to say this")

    assert case.read_all() == b"no"
    case.until(lambda: case.told.data == b"but I have to say this")
    with pytest.raises(RuntimeError, match="the end was sent"):
        case.transport.write(b"and another thing")


@pytest.mark.parametrize("stays", [True, False])
def test_the_clients_end_is_told_and_ours_is_for_the_protocol_to_say(
    case: Case, stays: bool
) -> None:
    case.told.stays_open = stays
    case.client.shutdown(socket.SHUT_WR)

    case.until(lambda: "eof" in case.told.events)
    case.transport.resume_reading()
    case.turn()

    assert case.told.events == ["made", "eof"] + ([] if stays else ["lost NoneType"])
    assert not case.transport.is_reading()
    if stays:
        case.transport.write(b"an answer")
        assert case.read_all(9) == b"an answer"


def test_a_client_that_has_to_wait_is_read_later(case: Case) -> None:
    case.transport.pause_reading()
    case.client.send(b"a request")
    case.turn()
    before = case.told.data

    case.transport.resume_reading()
    case.until(lambda: case.told.data == b"a request")

    assert before == b""


def test_a_client_that_is_gone_is_lost_once(case: Case) -> None:
    case.reset()

    case.until(lambda: len(case.told.events) == 2)
    case.transport.write(b"an answer")
    case.transport.abort()
    case.transport.close()
    case.turn()

    assert case.told.events == ["made", "lost ConnectionResetError"]


def test_so_is_one_that_is_noticed_by_an_answer(case: Case) -> None:
    case.transport.pause_reading()
    case.client.close()

    def is_noticed() -> bool:
        case.transport.write(b"an answer")
        return len(case.told.events) == 2

    case.until(is_noticed)

    assert case.told.events[1] in ("lost BrokenPipeError", "lost ConnectionResetError")


def test_and_one_that_goes_while_an_answer_waits_for_him(case: Case) -> None:
    case.transport.write(MUCH)
    case.transport.pause_reading()
    case.reset()

    case.until(lambda: len(case.told.events) == 3)

    assert case.told.events[:2] == ["made", "pause"]
    assert case.told.events[2] in ("lost BrokenPipeError", "lost ConnectionResetError")
    assert case.transport.get_write_buffer_size() == 0


def test_an_end_with_something_unsent_can_be_made_at_once(case: Case) -> None:
    case.transport.write(MUCH)

    case.transport.abort()
    case.turn()

    assert case.told.events == ["made", "pause", "lost NoneType"]
    assert case.here.fileno() == -1


def test_an_error_of_one_protocol_ends_its_connection_and_no_other(
    make: Callable[[], Case],
) -> None:
    failing, other = make(), make()
    told: list[dict[str, Any]] = []
    failing.loop.set_exception_handler(lambda _, context: told.append(context))

    def fail() -> None:
        raise ValueError("canary")

    failing.told.on_data = fail
    for each in (failing, other):
        each.client.send(b"a request")
    failing.until(lambda: other.told.data and len(failing.told.events) == 2)

    assert failing.told.events == ["made", "lost ValueError"]
    assert other.told.events == ["made"]
    assert [str(each["exception"]) for each in told] == ["canary"]
    assert "a request" not in str(told)


@pytest.mark.parametrize("way", ["close", "pause_reading", "abort"])
def test_what_one_does_to_another_holds_for_what_both_have_sent(
    make: Callable[[], Case], way: str
) -> None:
    cases = [make(), make()]

    def stop_the_other(number: int) -> Callable[[], None]:
        return getattr(cases[1 - number].transport, way)  # type: ignore[no-any-return]

    for number, each in enumerate(cases):
        each.told.on_data = stop_the_other(number)
        each.client.send(b"a request")
    cases[0].turn()

    assert sorted(each.told.data for each in cases) == [b"", b"a request"]


def test_a_socket_can_be_given_away(case: Case) -> None:
    given = case.transport.detach()

    case.client.send(b"a request")
    case.turn()

    assert given is case.here
    assert given.recv(100) == b"a request"
    assert case.told.data == b""
    assert case.told.events == ["made", "lost NoneType"]
    assert case.transport.detach() is None
    given.close()


def test_but_not_while_something_is_unsent(case: Case) -> None:
    case.transport.write(MUCH)

    assert case.transport.detach() is None
    assert case.read_all(len(MUCH)) == MUCH


def test_it_tells_who_is_at_its_other_end(case: Case) -> None:
    told = case.transport.get_extra_info

    assert told("socket") is case.here
    assert told("peername") == case.client.getsockname()
    assert told("peercert") is None
    assert told("peercert", "none") == "none"


def test_nobody_is_there_when_it_is_closed(case: Case) -> None:
    case.transport.abort()
    case.turn()

    assert case.transport.get_extra_info("peername") is None
    assert case.transport.get_extra_info("peername", "nobody") == "nobody"
