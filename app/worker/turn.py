"""A turn of the event loop: what came together, and when the answers to it are sent."""

import asyncio
import selectors
from collections.abc import Callable

MOST_UNSENT = 32
"""With thousands of connections, the first of a turn must not wait for the last."""


class Turn(selectors.DefaultSelector):
    """The event loop's selector, which remembers what it has found.

    A client that waits on another core has to be woken by the system for each answer that it has
    gone to sleep before; of answers that come together only the first wakes it. So those of a turn
    are sent at its end. An answer to the only one who asked is sent at once: to have the event loop
    come back for it would take a sixth of what the request does.

    Attributes:
        has_answered: whether anything was sent; for others to set back.
    """

    def __init__(self) -> None:
        """Prepare the selector; the loop that has it is told by `belong`."""
        super().__init__()
        self._ready = 0
        self._sending: list[Callable[[], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self.has_answered = False

    def belong(self, loop: asyncio.AbstractEventLoop) -> None:
        """Be the selector of this event loop."""
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait as the base does."""
        found = super().select(timeout)
        self._ready = len(found)
        return found

    def is_shared(self) -> bool:
        """Whether more than one had something to say; notes that there is an answer."""
        self.has_answered = True
        return self._ready > 1

    def send_soon(self, send: Callable[[], None]) -> None:
        """Send when all requests that are here by now are answered."""
        if not self._sending:
            assert self._loop is not None
            self._loop.call_soon(self._send)
            self.has_answered = True
        self._sending.append(send)
        if len(self._sending) == MOST_UNSENT:
            self._send()

    def _send(self) -> None:
        sending, self._sending = self._sending, []
        for send in sending:
            send()
