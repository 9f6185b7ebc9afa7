"""What is sent to one client: when a turn of the event loop ends, or at once; and how it ends."""

import asyncio
from math import inf

from app.worker.doorstep import end_with, let_be, reset
from app.worker.server import Server
from app.worker.transport import SocketTransport


class Outgoing(asyncio.Protocol):
    """The half of a connection that sends.

    Args:
        server: the process that it is in.
        loop: of that process.
    """

    __slots__ = (
        "_closed",
        "_closing",
        "_discarded",
        "_ended",
        "_loop",
        "_now",
        "_server",
        "_since",
        "_stalled",
        "_transport",
        "_unsent",
    )

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server, self._loop, self._now = server, loop, loop.time
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []  # answers, until the end of the event loop's turn
        self._stalled = False  # the client has not taken its answer yet
        self._ended = self._closing = False  # the client, or we, will send no more
        self._discarded = 0  # bytes
        self._closed = inf  # when it was answered for the last time
        self._since = self._now()  # when what is waited for began; infinity until that is looked at

    def let_out(self) -> None:
        """Expect nothing: its client was answered for the last time before it came here."""
        self._closing = True
        self._since = self._closed = self._now()

    def _write(self, data: bytes) -> None:
        """Send when the turn of the event loop ends."""
        self._unsent.append(data)  # first, as the turn may end here
        if len(self._unsent) == 1:
            self._server.turn.send_soon(self.send)

    def _write_last(self, data: bytes) -> None:
        """Send what nothing follows: at once, where nobody else has come in this turn."""
        if self._unsent or self._server.turn.is_shared() or self._transport is None:
            self._write(data)
            return
        self._transport.write(data)
        self._close_if_done()

    def send(self) -> None:
        """Send what is still unsent."""
        if self._transport is not None and self._unsent:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()
        self._close_if_done()

    def _end_with(self, answer: bytes) -> None:
        """Answer for the last time; closing while the client still sends would take it away."""
        self.let_out()
        if self._transport is None:
            return
        last = b"".join([*self._unsent, answer])
        self._unsent.clear()
        if self._ended:
            self._transport.write(last)
            self._transport.close()
        else:
            end_with(self._transport, last)

    def _part(self) -> None:
        """Do not read for a moment what a refused client still sends."""
        transport = self._transport
        client = transport.detach() if isinstance(transport, SocketTransport) else None
        if client is None:
            let_be(transport, self._loop)
        else:
            self._server.doorstep.keep(client)

    def _end_if(self, waited: float) -> None:
        """End the connection of a client that has not taken its answer, or not hung up."""
        assert self._transport is not None
        limits = self._server.limits
        if self._stalled and waited > limits.write:
            reset(self._transport)
        elif not self._stalled and waited > limits.linger:
            self._transport.abort()

    def _discard(self, data: bytes) -> None:
        """Give a client that still sends more time to read why not, but not for ever."""
        self._discarded += len(data)
        if self._discarded < self._server.limits.discarded:
            self._since = min(self._now(), self._closed + self._server.limits.request)

    def _close_if_done(self) -> None:
        """Close the connection where nothing more is to come from either side."""
        raise NotImplementedError
