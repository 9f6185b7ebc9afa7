"""The end of a worker: it waits for who is coming, and not for ever."""

import asyncio
from dataclasses import dataclass, field

import pytest

from app.worker.draining import Drain


@dataclass
class Door:
    """What is asked of an acceptor at the end, and when."""

    awaited: int
    events: list[str] = field(default_factory=list)

    def keep_out(self) -> None:
        self.events.append("nobody new")

    @property
    def is_awaited(self) -> bool:
        self.awaited -= 1
        return self.awaited >= 0

    def finish(self) -> None:
        self.events.append("closed")


@dataclass
class Step:
    """The doorstep, on which somebody is for so many looks."""

    looks: int = 0

    @property
    def held(self) -> bool:
        self.looks -= 1
        return self.looks >= 0


def drained(
    doors: list[Door],
    connections: set[object],
    step: Step | None = None,
    *,
    seconds: float,
    is_last: bool,
) -> int:
    """Close and answer; how often there was time for other things meanwhile."""
    beats: list[None] = []

    async def all_of_it() -> None:
        loop = asyncio.get_running_loop()
        drain = Drain(
            doors,  # type: ignore[arg-type]
            connections,
            step or Step(),  # type: ignore[arg-type]
            loop,
            lambda: beats.append(None),
        )
        end = loop.time() + seconds
        await drain.close(end, is_last=is_last)
        assert all(each.events[-1] == "closed" for each in doors)
        await drain.answer(end)

    asyncio.run(asyncio.wait_for(all_of_it(), 20))
    return len(beats)


def test_sockets_are_closed_when_nobody_is_on_the_way_any_more() -> None:
    doors = [Door(0), Door(3)]

    beats = drained(doors, set(), seconds=10, is_last=True)

    assert beats == 3
    assert [each.events for each in doors] == [["nobody new", "closed"]] * 2


def test_who_never_comes_is_not_waited_for_beyond_the_end() -> None:
    assert drained([Door(1_000_000)], set(), seconds=0.05, is_last=True) >= 1


@pytest.mark.parametrize("seconds", [10.0, 0.0])
def test_where_others_have_the_sockets_nobody_is_kept_out_nor_waited_for(seconds: float) -> None:
    door = Door(1_000_000)

    assert drained([door], set(), seconds=seconds, is_last=False) == 0
    assert door.events == ["closed"]


def test_a_connection_that_stays_is_not_waited_for_beyond_the_end() -> None:
    assert drained([Door(0)], {object()}, seconds=0.05, is_last=False) >= 1


def test_who_was_refused_gets_the_time_to_read_why() -> None:
    assert drained([Door(0)], set(), Step(4), seconds=10, is_last=False) == 4
