"""Clients that are let go, on a real event loop and with real sockets."""

import asyncio
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from app.worker.doorstep import KEPT, Doorstep, end_with
from app.worker.transport import SocketTransport
from app.worker.turn import Turn
from tests.support.sockets import connected, run_until, segments

REFUSAL = b"HTTP/1.1 503 SERVICE UNAVAILABLE\r\n\r\n"
SECONDS = 20.0


class Case:
    """A doorstep, and those who go from it."""

    def __init__(self, patience: float, linger: float) -> None:
        self.loop = asyncio.new_event_loop()
        self.gone: list[socket.socket] = []
        self.doorstep = Doorstep(self.loop, self.gone.append, patience, linger)
        self.opened: list[socket.socket] = []

    def client(self) -> tuple[socket.socket, socket.socket]:
        far, near = connected()
        near.setblocking(False)
        self.opened += [far, near]
        return far, near

    def until(self, condition: Callable[[], object]) -> None:
        run_until(self.loop, condition)

    def close(self) -> None:
        for each in self.opened:
            each.close()
        self.loop.close()


@pytest.fixture
def make() -> Iterator[Callable[..., Case]]:
    made: list[Case] = []

    def case(patience: float = 0.0, linger: float = SECONDS) -> Case:
        made.append(Case(patience, linger))
        return made[-1]

    yield case
    for each in made:
        each.close()


def is_read_from(here: socket.socket) -> bool:
    """Whether what comes is thrown away by now, a lot at a time."""
    return here.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT) > 1


def read_all(client: socket.socket) -> bytes:
    pieces = []
    while piece := client.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def test_who_sends_before_he_reads_comes_to_read_why_he_is_refused(
    make: Callable[..., Case],
) -> None:
    case = make()
    client, here = case.client()
    sending = threading.Thread(target=client.sendall, args=[bytes(16 << 20)])
    sending.start()

    case.doorstep.turn_away(here, REFUSAL)
    case.until(lambda: not sending.is_alive())
    answer = read_all(client)
    client.close()
    case.until(lambda: case.doorstep.held == 0)

    assert answer == REFUSAL
    assert here.fileno() == -1
    assert case.gone == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold a segment back")
@pytest.mark.parametrize("way", ["at once", "by its transport"])
def test_the_answer_and_the_end_come_in_one_segment(make: Callable[..., Case], way: str) -> None:
    case = make()
    far, near = case.client()
    far.send(b"a request")
    near.recv(100)
    before = segments(far)

    if way == "at once":
        case.doorstep.turn_away(near, REFUSAL)
    else:
        turn = Turn()
        loop = asyncio.SelectorEventLoop(turn)
        turn.belong(loop)
        end_with(SocketTransport(near, asyncio.Protocol(), turn, loop), REFUSAL)
        loop.close()

    assert (far.recv(100), far.recv(100)) == (REFUSAL, b"")
    assert segments(far) == before + 1


def test_nothing_is_read_at_first(make: Callable[..., Case]) -> None:
    case = make(patience=0.3)
    client, here = case.client()
    client.sendall(b"a request")

    case.doorstep.turn_away(here, REFUSAL)
    case.loop.run_until_complete(asyncio.sleep(0))
    before = here.recv(100, socket.MSG_PEEK)
    case.until(lambda: is_read_from(here))

    assert before == b"a request"
    with pytest.raises(BlockingIOError):
        here.recv(100)
    assert read_all(client) == REFUSAL


def test_a_client_who_hangs_up_is_forgotten(make: Callable[..., Case]) -> None:
    case = make()
    client, here = case.client()
    case.doorstep.turn_away(here, REFUSAL)

    client.close()
    case.until(lambda: case.doorstep.held == 0)

    assert (here.fileno(), case.gone) == (-1, [])


def test_so_is_one_who_does_so_while_he_sends(make: Callable[..., Case]) -> None:
    case = make()
    client, here = case.client()
    case.doorstep.turn_away(here, REFUSAL)
    case.until(lambda: is_read_from(here))

    client.sendall(b"a part")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    case.until(lambda: case.doorstep.held == 0)

    assert (here.fileno(), case.gone) == (-1, [])


def test_who_does_not_hang_up_is_looked_after_like_all_others(make: Callable[..., Case]) -> None:
    case = make(linger=0.01)
    client, here = case.client()

    case.doorstep.turn_away(here, REFUSAL)
    case.until(lambda: bool(case.gone))

    assert (case.gone, case.doorstep.held) == ([here], 0)
    assert here.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT) == 1
    assert read_all(client) == REFUSAL


@pytest.mark.parametrize("patience", [0.0, SECONDS], ids=["read from", "not read from"])
def test_where_there_are_too_many_the_first_ones_have_had_their_time(
    make: Callable[..., Case], patience: float
) -> None:
    case = make(patience=patience)
    clients = [case.client() for _ in range(KEPT + 2)]
    for client, here in clients[:KEPT]:
        client.sendall(b"a short request")
        case.doorstep.turn_away(here, REFUSAL)
    case.until(lambda: bool(patience) or is_read_from(clients[KEPT - 1][1]))
    assert case.doorstep.held == KEPT

    for _, here in clients[KEPT:]:
        case.doorstep.turn_away(here, REFUSAL)

    assert case.doorstep.held == KEPT
    assert [here.fileno() == -1 for _, here in clients] == [True] * 2 + [False] * KEPT
    assert [read_all(client) for client, _ in clients] == [REFUSAL] * (KEPT + 2)


@pytest.mark.skipif(
    not hasattr(socket, "TCP_QUICKACK"), reason="other systems than Linux drop what has arrived"
)
def test_even_then_a_client_on_linux_finds_the_answer(make: Callable[..., Case]) -> None:
    case = make(patience=SECONDS)
    clients = [case.client() for _ in range(KEPT + 1)]
    first, here = clients[0]
    first.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            first.send(bytes(1 << 20))

    for _, each in clients:
        case.doorstep.turn_away(each, REFUSAL)

    assert here.fileno() == -1
    first.setblocking(True)
    with pytest.raises(OSError, match=r"pipe|reset"):
        first.sendall(bytes(64 << 20))
    assert first.recv(1000) == REFUSAL


def test_who_is_gone_already_is_no_error(make: Callable[..., Case]) -> None:
    case = make()
    client, here = case.client()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()

    case.doorstep.turn_away(here, REFUSAL)
    case.until(lambda: case.doorstep.held == 0)

    assert (here.fileno(), case.gone) == (-1, [])
