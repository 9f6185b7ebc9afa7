"""The pool on a clock that the tests move: who is answered, who is refused, and when."""

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from app.worker.pool import Bounds, Pool
from tests.support.threads import no_more_threads

WAIT_SECONDS = 20.0


class Loop:
    """As much of an event loop as the pool asks for; its time is what it is set to."""

    def __init__(self) -> None:
        self.now = 0.0
        self._calls: SimpleQueue[tuple[Callable[..., None], Any]] = SimpleQueue()

    def time(self) -> float:
        return self.now

    def call_soon_threadsafe(self, call: Callable[..., None], *arguments: Any) -> None:
        self._calls.put((call, arguments))

    def turn(self) -> None:
        """Wait for one call from a thread, and do it."""
        call, arguments = self._calls.get(timeout=WAIT_SECONDS)
        call(*arguments)


class Work:
    """Something that a thread does, once it is let."""

    def __init__(self, name: str) -> None:
        self.answers: list[str] = []
        self.settled: bool | None = None
        self.begun, self.told = threading.Event(), threading.Event()
        self._gate, self._end = threading.Event(), threading.Event()
        self._name = name
        self._end.set()
        self.taken = False

    def do(self, settle: Callable[[], bool]) -> bytes:
        self.begun.set()
        assert self._gate.wait(WAIT_SECONDS)
        self.settled = settle()
        self.told.set()
        assert self._end.wait(WAIT_SECONDS)
        return self._name.encode()

    def settle(self) -> None:
        """Go on until it is told whether its answer will be sent."""
        self._end.clear()
        self._gate.set()
        assert self.told.wait(WAIT_SECONDS)

    def open(self) -> None:
        self._gate.set()
        self._end.set()

    def refuse(self) -> bytes:
        return b"refused"

    def take(self, answer: bytes) -> None:
        self.answers.append(answer.decode())


class Case:
    """A pool with a clock, and all work that was given to it."""

    def __init__(self, threads: int, waiting: int = 2) -> None:
        self.loop, self.waits = Loop(), list[float]()
        bounds = Bounds(threads, waiting, wait=1.0, deadline=30.0)
        self.pool = Pool("test", bounds, self.loop, self.waits.append)  # type: ignore[arg-type]
        self.works: list[Work] = []

    def submit(self, name: str) -> Work:
        work = Work(name)
        self.works.append(work)
        work.taken = self.pool.submit(work.do, work.refuse, work.take)
        return work

    def begun(self, name: str) -> Work:
        """Work that a thread is at."""
        work = self.submit(name)
        assert work.begun.wait(WAIT_SECONDS)
        return work

    def at(self, now: float) -> None:
        self.loop.now = now
        self.pool.check(now)


@pytest.fixture
def make() -> Iterator[Callable[..., Case]]:
    made: list[Case] = []

    def case(*arguments: int) -> Case:
        made.append(Case(*arguments))
        return made[-1]

    yield case
    for each in made:
        for work in each.works:
            work.open()
        each.pool.close()


def test_what_waits_is_bounded_in_number(make: Callable[..., Case]) -> None:
    case = make(1)
    case.begun("first")
    full = []

    for name in ("second", "third"):
        full.append(case.pool.is_full())
        case.submit(name)

    assert full == [False, False]
    assert case.pool.is_full()


def test_what_is_left_to_an_idle_thread_does_not_wait(
    make: Callable[..., Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pool, "_run", lambda _: None)  # no thread has woken yet
    case, full = make(3, 0), []

    for number in range(3):
        full.append(case.pool.is_full())
        case.submit(f"{number}")

    assert full == [False] * 3
    assert case.pool.is_full()


def test_where_nothing_may_wait_as_many_are_taken_as_there_are_threads(
    make: Callable[..., Case],
) -> None:
    case = make(2, 0)
    full = []

    for name in ("first", "second"):
        full.append(case.pool.is_full())
        case.begun(name)

    assert full == [False, False]
    assert case.pool.is_full()
    case.works[0].open()
    case.loop.turn()
    assert not case.pool.is_full()


def test_what_waits_is_bounded_in_time(make: Callable[..., Case]) -> None:
    case = make(1, 100)
    case.begun("first")
    case.submit("second")

    case.loop.now = 1.0
    assert not case.pool.is_full()
    case.loop.now = 1.1
    assert case.pool.is_full()


def test_a_request_that_is_long_at_work_stands_in_nobodys_way(make: Callable[..., Case]) -> None:
    case = make(2)
    case.begun("first")

    case.loop.now = 20.0

    assert not case.pool.is_full()


def test_what_would_wait_too_long_by_what_the_last_ones_took_is_not_taken(
    make: Callable[..., Case],
) -> None:
    case = make(1, 100)
    for work in [case.begun("first"), *(case.submit(f"{number}") for number in range(40))]:
        assert work.begun.wait(WAIT_SECONDS)
        case.loop.now += 0.5
        work.open()
        case.loop.turn()

    case.begun("next")
    case.submit("second")
    case.submit("third")

    assert not case.pool.is_full()
    assert case.pool.is_full(coming=1)
    case.submit("fourth")
    assert case.pool.is_full()


def test_a_queue_is_taken_in_its_order_and_has_room_again(make: Callable[..., Case]) -> None:
    case = make(1)
    works = [case.begun("first"), case.submit("second"), case.submit("third")]

    for work in works:
        case.loop.now += 0.25
        work.open()
        case.loop.turn()

    assert [work.answers for work in works] == [["first"], ["second"], ["third"]]
    assert case.waits == [0.0, 0.25, 0.5]
    assert not case.pool.is_full()


def test_a_request_that_waited_past_its_deadline_is_refused_and_never_done(
    make: Callable[..., Case],
) -> None:
    case = make(1)
    first, second = case.begun("first"), case.submit("second")

    case.loop.now = 31.0  # before anybody looks, the thread is free
    first.open()
    case.loop.turn()
    case.at(31.0)
    third = case.begun("third")

    assert first.answers == ["first"]
    assert second.answers == ["refused"]
    assert not second.begun.is_set()
    assert not third.answers


def test_a_hung_request_is_refused_once_and_another_thread_takes_its_place(
    make: Callable[..., Case],
) -> None:
    case = make(1)
    hung = case.begun("hung")
    case.at(29.0)
    assert not hung.answers
    waiting = case.submit("waiting")

    case.at(30.0)
    assert hung.answers == ["refused"]
    assert waiting.begun.wait(WAIT_SECONDS)
    waiting.open()
    case.loop.turn()
    hung.open()
    case.loop.turn()

    assert waiting.answers == ["waiting"]
    assert hung.answers == ["refused"]
    assert (waiting.settled, hung.settled) == (True, False)


def test_an_answer_that_was_told_of_is_sent_though_its_time_is_up_meanwhile(
    make: Callable[..., Case],
) -> None:
    case = make(1)
    told, behind = case.begun("told"), case.submit("behind")
    told.settle()

    case.at(30.0)
    case.pool.give_all_up()
    assert not told.answers
    assert behind.answers == ["refused"]

    told.open()
    case.loop.turn()
    assert told.answers == ["told"]
    assert not case.pool.is_stuck(90.0)


def test_too_many_hung_threads_are_told(make: Callable[..., Case]) -> None:
    case = make(4)
    first = case.begun("first")
    case.at(30.0)
    assert not case.pool.is_stuck(30.0)
    case.begun("second")

    case.at(59.0)
    assert not case.pool.is_stuck(59.0)
    case.at(60.0)
    assert case.pool.is_stuck(60.0)

    for work in (first, case.works[1]):
        work.open()
        case.loop.turn()
    assert not case.pool.is_stuck(60.0)


def test_one_thread_that_hangs_for_twice_the_deadline_is_told(make: Callable[..., Case]) -> None:
    case = make(8)
    case.begun("first")
    case.at(30.0)

    assert not case.pool.is_stuck(59.9)
    assert case.pool.is_stuck(60.0)


def test_at_the_end_everybody_is_answered(make: Callable[..., Case]) -> None:
    case = make(1)
    works = [case.begun("first"), case.submit("second")]

    case.pool.give_all_up()

    assert [work.answers for work in works] == [["refused"], ["refused"]]


def test_without_a_thread_no_request_is_taken_and_with_one_the_next_is(
    make: Callable[..., Case],
) -> None:
    case = make(2)
    with no_more_threads():
        turned_away = [case.submit(f"{number}") for number in range(4)]

    work = case.begun("next")
    work.open()
    case.loop.turn()

    assert [each.taken for each in turned_away] == [False] * 4
    assert [each.answers for each in turned_away] == [[]] * 4
    assert work.answers == ["next"]


def test_a_request_without_a_thread_of_its_own_waits_for_one_of_the_others(
    make: Callable[..., Case],
) -> None:
    case = make(2)
    first = case.begun("first")
    with no_more_threads():
        second = case.submit("second")

    first.open()
    case.loop.turn()
    second.open()
    case.loop.turn()

    assert second.taken
    assert (first.answers, second.answers) == (["first"], ["second"])


def test_a_hung_thread_is_replaced_as_soon_as_there_is_another(make: Callable[..., Case]) -> None:
    case = make(1)
    case.begun("hung")
    case.loop.now = 29.0
    waiting = case.submit("waiting")
    with no_more_threads():
        case.at(30.0)
    before = waiting.answers, waiting.begun.is_set()

    case.at(30.5)

    assert before == ([], False)
    assert waiting.begun.wait(WAIT_SECONDS)
