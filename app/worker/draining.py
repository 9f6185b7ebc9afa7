"""The end of a worker: who has come is served, and nobody else."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from app.worker.accepting import Acceptor
from app.worker.doorstep import Doorstep

HANDSHAKE_SECONDS = 1.0
"""Who has begun to connect may take so long; the system would repeat its part after that."""

_PASSING_SECONDS = 0.01
"""A first segment that has passed before others were kept out is seen by then."""

_BEAT_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Drain:
    """The last things that a worker waits for.

    Attributes:
        acceptors: of its listening sockets.
        connections: that it has; they come and go meanwhile.
        doorstep: where some may still have to read why they were refused.
        loop: of this worker.
        beat: called again and again while there is waiting.
    """

    acceptors: Sequence[Acceptor]
    connections: Collection[object]
    doorstep: Doorstep
    loop: asyncio.AbstractEventLoop
    beat: Callable[[], None]

    async def close(self, end: float, *, is_last: bool) -> None:
        """Close the listening sockets, when all who have begun to connect are in.

        Args:
            end: when to wait no longer, on the event loop's clock.
            is_last: whether all workers do so now, and nobody else has these sockets. While
                another has them, it will take in who comes.
        """
        if is_last:
            for acceptor in self.acceptors:
                acceptor.keep_out()
            await asyncio.sleep(_PASSING_SECONDS)
            end = min(end, self.loop.time() + HANDSHAKE_SECONDS)
            await self._wait(end, lambda: not any(each.is_awaited for each in self.acceptors))
        for acceptor in self.acceptors:
            acceptor.finish()

    async def answer(self, end: float) -> None:
        """Wait until no client is left."""
        await self._wait(end, lambda: not self.connections and not self.doorstep.held)

    async def _wait(self, end: float, is_over: Callable[[], bool]) -> None:
        while not is_over() and self.loop.time() < end:
            self.beat()
            await asyncio.sleep(_BEAT_SECONDS)
