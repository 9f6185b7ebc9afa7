"""How long the parts of a connection may take: a request, its client's patience, and silence."""

import asyncio
from math import inf

from app.errors import TooSlow
from app.worker.cutting import Cutter, StrictCutter
from app.worker.outgoing import Outgoing
from app.worker.server import Server

LAST_CALL_SECONDS = 1.0
"""A connection is kept for so long without a request when the service stops."""

SLOW = "the request did not arrive in time"


class Timing(Outgoing):
    """The part of a connection that looks at the clock.

    Args:
        server: the process that it is in.
        loop: of that process.
    """

    __slots__ = ("_busy", "_cutter", "_queued", "_waits")

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(server, loop)
        limits = server.limits
        self._cutter = (Cutter if limits.plain else StrictCutter)(limits.body, limits.parser)
        self._busy = False  # a thread is answering
        self._queued = False  # others have a turn before its next request
        self._waits = False  # its body is not read for now

    def idle_since(self) -> float | None:
        """Since when nothing was asked here, as far as it was looked; None while something is."""
        return None if self._cutter.begun or self._is_answering() else self._since

    def close(self) -> None:
        """Close a connection on which nothing is asked."""
        self._closing = True
        if self._transport is not None:
            self._transport.close()

    def check_time(self, now: float) -> None:
        """End what takes too long; called about once a second."""
        if self._transport is None or self._busy or self._unsent or self._waits:
            return
        if (
            self._since == inf
        ):  # answered since the last look: what is between is not held against it
            self._since = now
        limits, waited = self._server.limits, now - self._since
        if self._stalled or self._closing:
            self._end_if(waited)
        elif self._cutter.begun:
            if waited > limits.request:
                self._refuse(TooSlow(SLOW))
        elif waited > limits.idle or self._is_dismissed(now):
            self._transport.close()

    def _is_dismissed(self, now: float) -> bool:
        """Whether the service stops and no request came that may have been on its way."""
        return now - max(self._since, self._server.stopping_since) > LAST_CALL_SECONDS

    def _is_answering(self) -> bool:  # or sending it, or others have their turn
        return bool(self._busy or self._unsent or self._stalled or self._queued or self._closing)

    def _refuse(self, error: Exception) -> None:
        """Answer for the last time."""
        raise NotImplementedError
