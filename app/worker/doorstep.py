"""How clients are let go for whom there is no room, or no more patience."""

import socket
import struct
from asyncio import AbstractEventLoop, Transport
from collections import deque
from collections.abc import Callable
from contextlib import suppress

_AT_ONCE = struct.pack("ii", 1, 0)

_PATIENCE_SECONDS = 0.2

KEPT = 32
"""Connections of such clients that are kept open for a while."""


def half_close(transport: Transport) -> None:
    """Send no more, and read on: closing while a client still sends would lose its answer."""
    with suppress(OSError):  # the client is gone, of which the event loop will hear
        transport.write_eof()
    transport.resume_reading()


def let_be(transport: Transport | None, loop: AbstractEventLoop) -> None:
    """Do not read for a moment what a refused client still sends: most hang up by themselves.

    To read a body that is not wanted costs a large part of what it costs to answer it.
    """
    if transport is not None:
        transport.pause_reading()
        loop.call_later(_PATIENCE_SECONDS, transport.resume_reading)


def reset(transport: Transport) -> None:
    """End a connection at once, with all that its client has not taken.

    Else the system would keep that, megabytes, for as long as the client says that it has no room.
    """
    with suppress(OSError):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()


class Doorstep:
    """Clients that are turned away: they get an answer, and a moment to read it.

    Closing at once would take the answer away from a client that is still sending its request.

    Args:
        answer: made for each of them.
    """

    def __init__(self, answer: Callable[[], bytes]) -> None:
        self._answer = answer
        self._kept: deque[tuple[float, socket.socket]] = deque()

    def turn_away(self, client: socket.socket, now: float) -> None:
        """Answer a client that has not been read from."""
        with suppress(OSError):  # it is gone already
            client.setblocking(False)
            client.send(self._answer())
            client.shutdown(socket.SHUT_WR)
        self._kept.append((now, client))
        if len(self._kept) > KEPT:
            self._close_first()

    def check(self, now: float, seconds: float = 1.0) -> None:
        """Close those that were turned away so long ago."""
        while self._kept and now - self._kept[0][0] >= seconds:
            self._close_first()

    def _close_first(self) -> None:
        _, client = self._kept.popleft()
        with suppress(OSError):
            client.recv(1 << 16)
        client.close()
