"""Who comes in, who waits, and who is refused before a body is read."""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from math import inf

from app.worker.budget import Budget
from app.worker.expected import is_large
from app.worker.heads import Head
from app.worker.line import AHEAD, Guest, Line
from app.worker.loop_lag import LoopLag
from app.worker.pool import Bounds, Pool

BUSY = "there is more to do here than can be done in time: try again in a moment"
FULL = "there are too many large requests here at the moment: try again, or send fewer rows at once"

_CROWDED_SECONDS = 0.5

_PATIENCE = 2
"""A large body may wait with its client for that much longer than any request for a thread: that
costs nothing but a connection, and refusing it a tenth of what it takes to answer it."""


class Admission:
    """What there is of everything that a request takes.

    Args:
        loop: of this worker.
        budget: of the bytes of all requests.
        bounds: of the requests that are left to threads.
        threads: that large bodies wait for.
        waited: told for how many seconds a client has kept a large body.

    Attributes:
        budget: as given.
        lag: of the event loop.
        line: of large bodies.
    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        budget: Budget,
        bounds: Bounds,
        threads: Pool,
        waited: Callable[[float], None],
    ) -> None:
        self._loop, self.budget, self.lag = loop, budget, LoopLag(loop)
        ahead = max(AHEAD, 2 * bounds.threads)
        self.line = Line(loop, ahead, threads.is_full, _PATIENCE * bounds.wait, waited)
        self._crowded_until = -inf

    @property
    def is_crowded(self) -> bool:
        """Whether some were refused just now, so that it should cost little to refuse others."""
        return self._loop.time() < self._crowded_until

    def refuses(self, head: Head, pool: Pool | None) -> str | None:
        """Why a request whose body is still to come is to be refused by its head, None if not.

        Args:
            head: of the request.
            pool: that will answer it; None where that is the event loop.
        """
        if not self.budget.has_room(head.length or 0):
            why = FULL
        elif self._is_too_much(head, pool):
            why = BUSY
        else:
            return None
        self._crowded_until = self._loop.time() + _CROWDED_SECONDS
        return why

    def enters(self, guest: Guest, head: Head, pool: Pool | None) -> bool:
        """Whether the body is to be read at once; else the client stands in line for that."""
        return pool is None or not is_large(head) or self.line.enters(guest)

    def hold(self, head: Head, size: int) -> Callable[[], None]:
        """Count a request that is all here, with so many bytes, until what this gives is called."""
        large = is_large(head)
        self.budget.held += size
        if large:
            self.line.arrived()

        def release() -> None:
            self.budget.held -= size
            if large:
                self.line.answered()
            self.line.advance()

        return release

    def _is_too_much(self, head: Head, pool: Pool | None) -> bool:
        if is_large(head) and self.lag.is_late:
            return True
        if pool is None:
            return False
        if is_large(head) and len(self.line):
            return self.line.is_long or pool.has_no_place(len(self.line))
        return pool.is_full(self.line.expected)
