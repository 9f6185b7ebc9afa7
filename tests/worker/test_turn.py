"""A turn of the event loop: who is alone in it is answered at once, all others at its end."""

import asyncio
import selectors
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from app.worker.turn import MOST_UNSENT, Turn, Watched


@contextmanager
def running(clients: int) -> Iterator[tuple[Turn, asyncio.AbstractEventLoop, list[socket.socket]]]:
    """A loop with a turn, and connections on which something has come."""
    turn = Turn()
    loop = asyncio.SelectorEventLoop(turn)
    turn.belong(loop)
    with ExitStack() as ends:
        ends.callback(loop.close)
        here = []
        for _ in range(clients):
            near, far = socket.socketpair()
            ends.callback(near.close)
            ends.callback(far.close)
            far.send(b"x")
            here.append(near)
        yield turn, loop, here


def one_turn(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon(loop.stop)
    loop.run_forever()


@pytest.mark.parametrize(("clients", "shared"), [(1, False), (2, True), (3, True)])
def test_a_turn_is_shared_where_more_than_one_has_asked(clients: int, shared: bool) -> None:
    found = []
    with running(clients) as (turn, loop, here):
        for each in here:
            loop.add_reader(each, lambda: found.append(turn.is_shared()))
        one_turn(loop)
        for each in here:
            loop.remove_reader(each)

    assert found == [shared] * clients


def test_what_is_sent_soon_is_sent_when_all_have_been_read() -> None:
    events = []
    with running(3) as (turn, loop, here):

        def read(number: int) -> None:
            events.append(f"read {number}")
            turn.send_soon(lambda: events.append(f"sent {number}"))
            loop.remove_reader(here[number])

        for number, each in enumerate(here):
            loop.add_reader(each, read, number)
        one_turn(loop)
        assert sorted(events) == ["read 0", "read 1", "read 2"]
        one_turn(loop)

    assert sorted(events[3:]) == ["sent 0", "sent 1", "sent 2"]


class Closing(Watched):
    """Has its turn with another, whom it makes go."""

    def __init__(self, close: Callable[[], object]) -> None:
        self._close = close

    def ready(self, events: int) -> None:
        assert events == selectors.EVENT_READ
        self._close()


def test_who_was_made_to_go_within_the_turn_is_told_of_nothing() -> None:
    found: list[str] = []
    with running(2) as (turn, loop, (first, second)):
        turn.register(first, selectors.EVENT_READ, Closing(lambda: close(loop, second)))
        loop.add_reader(second, found.append, "told")

        one_turn(loop)
        turn.unregister(first)

    assert found == []
    assert second.fileno() == -1


def close(loop: asyncio.AbstractEventLoop, end: socket.socket) -> None:
    if end.fileno() >= 0:
        loop.remove_reader(end)
        end.close()


def test_what_is_sent_soon_within_the_turn_is_sent_at_its_end() -> None:
    events: list[str] = []
    with running(2) as (turn, _, here):

        def read() -> None:
            events.append("read")
            turn.send_soon(lambda: events.append("sent"))

        for each in here:
            turn.register(each, selectors.EVENT_READ, Closing(read))
        turn.select(0)

    assert events == ["read", "read", "sent", "sent"]


def test_what_is_for_the_end_is_done_once_when_the_answers_are_sent() -> None:
    events: list[str] = []
    with running(2) as (turn, _, here):

        def read() -> None:
            turn.at_end(lambda: events.append("end"))
            turn.send_soon(lambda: events.append("sent"))
            for each in here:
                each.recv(1)
                turn.unregister(each)
            here.clear()

        for each in here:
            turn.register(each, selectors.EVENT_READ, Closing(read))
        turn.select(0)
        turn.select(0)

    assert events == ["sent", "sent", "end", "end"]


def test_an_answer_that_cannot_be_sent_keeps_no_other_back() -> None:
    told: list[str] = []
    sent: list[str] = []

    def fail() -> None:
        raise ValueError("canary")

    with running(0) as (turn, loop, _):
        loop.set_exception_handler(lambda _, context: told.append(str(context["exception"])))
        turn.send_soon(fail)
        turn.send_soon(lambda: sent.append("sent"))
        one_turn(loop)

    assert (told, sent) == (["canary"], ["sent"])


def test_the_first_of_very_many_need_not_wait_for_the_last() -> None:
    sent = []
    with running(0) as (turn, _, _):
        for number in range(MOST_UNSENT):
            turn.send_soon(lambda number=number: sent.append(number))  # type: ignore[misc]
        assert sent == list(range(MOST_UNSENT))


@pytest.mark.parametrize("way", ["at once", "soon"])
def test_it_tells_whether_anything_was_answered(way: str) -> None:
    with running(0) as (turn, loop, _):
        one_turn(loop)
        before = turn.has_answered
        if way == "at once":
            turn.is_shared()
        else:
            turn.send_soon(lambda: None)
        after = turn.has_answered

    assert (before, after) == (False, True)
