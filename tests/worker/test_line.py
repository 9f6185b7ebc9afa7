"""Large bodies that wait with their clients: who is let in when, and who is turned away."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from app.worker.line import SOON_SECONDS, Line

AHEAD, MOST = 3, 10.0


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0
        super().__init__()

    def time(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        """Have this much time go by, and what is due in it done."""
        self.now += seconds
        self.call_soon(self.stop)
        self.run_forever()


@dataclass
class Place:
    """A line, what it has told of, the clients that it has let in or turned away, and how many
    bodies on their way threads would come to in time.
    """

    loop: Clock
    line: Line = field(init=False)
    told: list[float] = field(default_factory=list)
    let_in: list[str] = field(default_factory=list)
    away: list[str] = field(default_factory=list)
    threads: list[int] = field(default_factory=lambda: [100])

    def __post_init__(self) -> None:
        self.line = Line(self.loop, AHEAD, self.is_full, MOST, self.told.append)

    def is_full(self, coming: int) -> bool:
        """Whether no thread would come in time to one more than are on their way."""
        return coming >= self.threads[0]

    def answer(self, count: int = 1) -> None:
        """Have large bodies be answered."""
        for _ in range(count):
            self.line.answered()
            self.line.advance()

    def come(self, *names: str) -> list[bool]:
        """Have clients come; who need not wait."""
        return [self.line.enters(Client(name, self)) for name in names]


@dataclass(frozen=True, eq=False)
class Client:
    name: str
    place: Place

    def let_in(self) -> None:
        self.place.let_in.append(self.name)

    def turn_away(self) -> None:
        self.place.away.append(self.name)


@pytest.fixture
def place() -> Iterator[Place]:
    loop = Clock()
    yield Place(loop)
    loop.close()


def test_as_many_as_there_is_room_for_need_not_wait(place: Place) -> None:
    assert place.come(*"abcde") == [True, True, True, False, False]
    assert len(place.line) == 2
    assert place.line.expected == 3


def test_one_is_let_in_for_each_that_is_answered_in_the_order_they_came(place: Place) -> None:
    place.come(*"abcdef")
    for _ in range(3):
        place.line.arrived()
    assert place.let_in == []

    place.answer()
    place.answer()

    assert place.let_in == ["d", "e"]
    assert place.line.expected == 2


def test_nobody_passes_those_who_wait(place: Place) -> None:
    place.come(*"abcd")
    place.line.arrived()
    place.line.arrived()
    place.line.arrived()
    place.answer()  # d is let in, and there is no room for another

    assert place.come("e", "f") == [False, False]
    place.line.arrived()
    place.answer()
    place.answer()
    assert place.let_in == ["d", "e", "f"]


def test_nobody_waits_for_bodies_that_are_slow(place: Place) -> None:
    """Heads without bodies would else keep all others out."""
    place.come(*"abcdefg")

    place.loop.pass_by(SOON_SECONDS)
    assert place.let_in == []
    place.loop.pass_by(SOON_SECONDS / 10)  # a, b and c are slow by now
    place.loop.pass_by(SOON_SECONDS)

    assert place.let_in == ["d", "e", "f"]
    assert place.line.expected == 6  # they may come yet


def test_bodies_that_are_here_are_waited_for_however_long_they_take(place: Place) -> None:
    place.come(*"abcd")
    for _ in range(3):
        place.line.arrived()

    for _ in range(5):
        place.loop.pass_by(MOST / 10)

    assert place.let_in == []


def test_one_who_leaves_is_forgotten(place: Place) -> None:
    place.come(*"abc")
    gone, other = Client("d", place), Client("e", place)
    place.line.enters(gone)
    place.line.enters(other)
    place.line.leave(gone)
    place.line.leave(Client("never here", place))

    place.line.arrived()
    place.answer()

    assert place.let_in == ["e"]
    assert len(place.line) == 0


def test_how_long_each_has_waited_is_told(place: Place) -> None:
    place.come(*"abcd")
    for _ in range(3):
        place.line.arrived()
    place.loop.pass_by(1.5)
    place.answer()

    assert place.told == [pytest.approx(1.5)]


def test_it_is_long_when_the_first_has_waited_too_long(place: Place) -> None:
    place.come(*"abc")
    for _ in range(3):
        place.line.arrived()
    place.loop.pass_by(2 * MOST)
    assert not place.line.is_long  # nobody waits

    place.come("d")
    place.loop.pass_by(MOST)
    assert not place.line.is_long
    place.loop.pass_by(0.1)
    assert place.line.is_long


def test_it_is_long_when_the_next_would_wait_too_long_by_how_it_went(place: Place) -> None:
    place.come(*(str(number) for number in range(200)))
    for _ in range(3):
        place.line.arrived()
    for _ in range(90):  # one a tenth of a second, as many inside as before
        place.loop.pass_by(0.1)
        place.answer()
        place.line.arrived()

    assert len(place.line) == 107
    assert place.line.is_long  # 107 would take 10.7 s, though nobody has waited longer than 9
    for _ in range(10):
        place.loop.pass_by(0.01)
        place.answer()
        place.line.arrived()
    assert not place.line.is_long


def test_who_has_waited_twice_as_long_as_anybody_should_is_turned_away(place: Place) -> None:
    place.come(*"abcd")
    for _ in range(3):
        place.line.arrived()
    place.loop.pass_by(MOST)
    place.come("e")
    place.loop.pass_by(MOST)
    place.line.check()
    assert place.away == []

    place.loop.pass_by(0.1)
    place.line.check()

    assert place.away == ["d"]
    place.answer()
    assert place.let_in == ["e"]


def test_at_the_end_all_are_turned_away(place: Place) -> None:
    place.come(*"abcde")

    place.line.close()

    assert place.away == ["d", "e"]
    assert len(place.line) == 0


def test_nothing_is_looked_at_while_nobody_waits(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Client("d", place)
    place.come(*"abc")
    for _ in range(3):
        place.line.arrived()
    assert not place.line.enters(waiting)
    place.line.leave(waiting)
    place.loop.pass_by(2 * SOON_SECONDS)

    looks: list[float] = []
    monkeypatch.setattr(place.line, "advance", lambda: looks.append(place.loop.now))
    for _ in range(3):
        place.loop.pass_by(2 * SOON_SECONDS)
    assert looks == []

    place.line.enters(waiting)
    place.loop.pass_by(2 * SOON_SECONDS)
    assert looks == [place.loop.now]  # somebody does


def test_nobody_is_let_in_whom_no_thread_would_come_to_in_time(place: Place) -> None:
    """There is room for three, but what is here already takes long."""
    place.threads[0] = 1
    assert place.come(*"abc") == [True, False, False]
    place.line.arrived()
    place.threads[0] = 0
    place.answer()
    assert place.let_in == []

    place.threads[0] = 1
    place.line.advance()  # as others are answered, who have small bodies

    assert place.let_in == ["b"]
