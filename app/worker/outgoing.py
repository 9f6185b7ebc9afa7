"""What is sent to one client: when a turn of the event loop ends, or at once."""

import asyncio

from app.worker.server import Server


class Outgoing(asyncio.Protocol):
    """The half of a connection that sends.

    Args:
        server: the process that it is in.
        loop: of that process.
    """

    __slots__ = ("_loop", "_now", "_server", "_transport", "_unsent")

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server, self._loop, self._now = server, loop, loop.time
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []  # answers, until the end of the event loop's turn

    def _write(self, data: bytes) -> None:
        """Send when the turn of the event loop ends."""
        self._unsent.append(data)  # first, as the turn may end here
        if len(self._unsent) == 1:
            self._server.send_soon(self.send)

    def send(self) -> None:
        """Send what is still unsent."""
        if self._transport is not None and self._unsent:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()
        self._close_if_done()

    def _close_if_done(self) -> None:
        """Close the connection where nothing more is to come from either side."""
        raise NotImplementedError
