"""Whether the event loop keeps up with what arrives."""

import asyncio
from collections import deque

TICK_SECONDS = 0.05
LATE_SECONDS = 0.2
"""A turn of the event loop that takes longer is late."""

_TURNS = 3
"""One late turn may be a model that was loaded, or that held the interpreter."""


class LoopLag:
    """Is called by the event loop's timer, and notices when that is late again and again.

    Args:
        loop: to be watched.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._late = deque([0.0] * _TURNS, _TURNS)
        self._due = 0.0

    def start(self) -> None:
        """Watch from now on."""
        self._due = self._loop.time() + TICK_SECONDS
        self._loop.call_at(self._due, self._tick)

    @property
    def is_late(self) -> bool:
        """Whether the last turns of the event loop were all late, so that requests pile up."""
        return min(self._late) > LATE_SECONDS

    def _tick(self) -> None:
        self._late.append(self._loop.time() - self._due)
        self.start()
