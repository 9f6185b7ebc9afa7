"""Large bodies that were let in and are not all here yet."""

from asyncio import AbstractEventLoop
from bisect import bisect_left
from collections import deque

from app.worker.budget import SMALL_BYTES
from app.worker.heads import Head

_SECONDS = 1.0
"""A body that takes longer is no part of what is to be done next: its client is slow."""


class ExpectedBodies:
    """Counts them. Which of them arrives does not matter.

    Args:
        loop: of this worker.
    """

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._since: deque[float] = deque()

    def add(self) -> None:
        """One was let in."""
        self._since.append(self._loop.time())

    def arrived(self) -> None:
        """One is here, whether it was counted or not."""
        if self._since:
            self._since.popleft()

    def count(self, seconds: float = _SECONDS) -> int:
        """How many are on their way, of those that were let in within so many seconds."""
        now, since = self._loop.time(), self._since
        while since and now - since[0] > _SECONDS:
            since.popleft()
        return len(since) - bisect_left(since, now - seconds)


def is_large(head: Head) -> bool:
    """Whether a body is, or may be, of those that are refused where there is too much to do."""
    return head.length is None or head.length > SMALL_BYTES
