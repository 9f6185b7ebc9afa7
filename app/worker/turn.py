"""A turn of the event loop: what came together, and when the answers to it are sent."""

import asyncio
import selectors
from collections.abc import Callable

MOST_UNSENT = 32
"""With thousands of connections, the first of a turn must not wait for the last."""


class Watched:
    """What is told of its events within the turn, and not by the event loop."""

    __slots__ = ()

    def ready(self, events: int) -> None:
        """Do what can be done now: read, write, as the selector names them."""
        raise NotImplementedError

    def failed(self, error: Exception) -> None:
        """Hear that `ready` has raised this."""
        raise NotImplementedError


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
        self._is_reading = False
        self._ending: list[Callable[[], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self.has_answered = False

    def belong(self, loop: asyncio.AbstractEventLoop) -> None:
        """Be the selector of this event loop."""
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait as the base does, and tell those whom this concerns; the rest is the loop's."""
        found = super().select(timeout)
        self._ready = len(found)
        others = []
        self._is_reading = True
        for each in found:
            watched = each[0].data
            if isinstance(watched, Watched):
                try:
                    watched.ready(each[1])
                except Exception as error:  # noqa: BLE001 - one client must not end all others
                    watched.failed(error)
            else:
                others.append(each)
        self._is_reading = False
        if self._sending:
            self._send()
        if self._ending:
            self._end()
        return [each for each in others if self._is_current(each[0])]

    def _is_current(self, key: selectors.SelectorKey) -> bool:
        """Whether it is still watched: one whom this turn told of an event may have closed it.

        The loop takes for granted that nothing happens between an event and what it does then.
        """
        return self.get_map().get(key.fd) is key

    def is_shared(self) -> bool:
        """Whether more than one had something to say; notes that there is an answer."""
        self.has_answered = True
        return self._ready > 1

    def at_end(self, call: Callable[[], None]) -> None:
        """Call when the answers of this turn are sent, or those of the next, if none is going on.

        It must not raise, nor ask for another turn's end.
        """
        self._ending.append(call)

    def _end(self) -> None:
        for call in self._ending:
            call()
        self._ending.clear()

    def send_soon(self, send: Callable[[], None]) -> None:
        """Send when all requests that are here by now are answered."""
        if not self._sending:
            self.has_answered = True
            if not self._is_reading:
                assert self._loop is not None
                self._loop.call_soon(self._send)
        self._sending.append(send)
        if len(self._sending) == MOST_UNSENT:
            self._send()

    def _send(self) -> None:
        sending, self._sending = self._sending, []
        for send in sending:
            try:
                send()
            except Exception as error:  # noqa: BLE001 - one client must not end all others
                assert self._loop is not None
                told = {"message": "an answer was not sent", "exception": error}
                self._loop.call_exception_handler(told)
