"""Looking after what waits, for as long as anything does."""

from asyncio import AbstractEventLoop
from collections.abc import Callable

SECONDS = 0.1
"""Between two looks, where nobody says otherwise."""


class Lookout:
    """Has someone look again and again while there is something to look after.

    Args:
        loop: whose timer is used.
        look: says whether anything is left to look after.
        seconds: between two looks.
    """

    def __init__(
        self, loop: AbstractEventLoop, look: Callable[[], bool], seconds: float = SECONDS
    ) -> None:
        self._loop, self._look, self._seconds = loop, look, seconds
        self._is_due = False

    def begin(self) -> None:
        """Look from now on, unless that is so already."""
        if not self._is_due:
            self._is_due = True
            self._loop.call_later(self._seconds, self._again)

    def _again(self) -> None:
        self._is_due = False
        if self._look():
            self.begin()
