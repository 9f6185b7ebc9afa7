"""The lag of an event loop, on a clock that the tests move: late only where it is so for long."""

from collections.abc import Callable

import pytest

from app.worker.loop_lag import LATE_SECONDS, LoopLag


class Loop:
    """As much of an event loop as is asked of it."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due, self._call = 0.0, print

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[[], None]) -> None:
        self._due, self._call = when, call  # type: ignore[assignment]

    def turn(self, late: float) -> None:
        """Do what is due, so much later."""
        self.now = self._due + late
        self._call()


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ((), False),
        ((9.0,), False),
        ((9.0, 9.0), False),
        ((1.1, 1.1, 1.1), True),
        ((9.0, 9.0, 0.9), False),
        ((0.9, 9.0, 9.0, 9.0), True),
        ((9.0, 9.0, 9.0, 0.9), False),
    ],
)
def test_an_event_loop_is_late_when_its_last_three_turns_were(
    turns: tuple[float, ...], expected: bool
) -> None:
    loop = Loop()
    lag = LoopLag(loop)  # type: ignore[arg-type]
    lag.start()

    for late in turns:
        loop.turn(late * LATE_SECONDS)

    assert lag.is_late is expected
