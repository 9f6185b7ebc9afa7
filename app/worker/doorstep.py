"""How clients are let go for whom there is no room, or no more patience."""

import socket
import struct
import sys
from asyncio import AbstractEventLoop, Transport
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from app.worker.looking import Lookout
from app.worker.transport import SocketTransport

_AT_ONCE = struct.pack("ii", 1, 0)

_MORE_FOLLOWS = getattr(socket, "MSG_MORE", 0)
"""Has Linux keep what is sent for what follows at once: the last bytes and the end of a connection
are one segment then, to be handled here, and by the client, once."""

PATIENCE_SECONDS = 0.2
"""Most clients that are refused hang up by themselves in this time."""

LINGER_SECONDS = 2.0
"""Seconds that a client which is refused gets to read why."""

KEPT = 128
"""Connections of such clients that are kept open for a while."""

_UNSEEN = bytearray(1 << 20)
_TOGETHER = 1 << 18
"""Bytes of a body that are waited for before they are thrown away."""

_LAST = 1 << 14
"""Bytes that are taken from a client who has to go now: a short request, whole."""

_READS = 4
"""A client may send as fast as that is done, and others want their turn."""

_THROW_AWAY = socket.MSG_TRUNC if sys.platform == "linux" else 0
"""Linux need not copy what is thrown away."""


def end_with(transport: Transport, answer: bytes) -> None:
    """Send this and no more, and read on: closing while a client still sends would lose it."""
    if isinstance(transport, SocketTransport):
        transport.write(answer, _MORE_FOLLOWS)
    else:
        transport.write(answer)
    with suppress(OSError):  # the client is gone, of which the event loop will hear
        transport.write_eof()
    transport.resume_reading()


def let_be(transport: Transport | None, loop: AbstractEventLoop) -> None:
    """Do not read for a moment what a refused client still sends: most hang up by themselves.

    To read a body that is not wanted costs a large part of what it costs to answer it.
    """
    if transport is not None:
        transport.pause_reading()
        loop.call_later(PATIENCE_SECONDS, transport.resume_reading)


def reset(transport: Transport) -> None:
    """End a connection at once, with all that its client has not taken.

    Else the system would keep that, megabytes, for as long as the client says that it has no room.
    """
    with suppress(OSError):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()


class Doorstep:
    """Clients that were answered for the last time, by a refusal, and may still be sending.

    To close at once would take the answer away from a client that has not read it yet. To read all
    that they send would cost a large part of what an answer costs, and where some must be refused
    there is no time for that. So at first nothing is read; then what a client still sends is thrown
    away, so that it comes to read its answer; and where there are too many of them, the first ones
    have had their time. A client on Linux finds the answer even then, if it looks for it.

    Args:
        loop: of this worker.
        go: given a client that has not hung up for long, to be looked after like all others.
        patience, linger: seconds until something is read, and until such a client goes.
    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        go: Callable[[socket.socket], None],
        patience: float = PATIENCE_SECONDS,
        linger: float = LINGER_SECONDS,
    ) -> None:
        self._loop, self._go = loop, go
        self._patience, self._linger = patience, linger
        self._fresh: deque[tuple[float, socket.socket]] = deque()  # of which nothing is read
        self._sending: dict[socket.socket, float] = {}  # since when they are here
        self._lookout = Lookout(loop, self._check)

    @property
    def held(self) -> int:
        """How many clients are here."""
        return len(self._fresh) + len(self._sending)

    def turn_away(self, client: socket.socket, answer: bytes) -> None:
        """Answer a client that has got nothing yet. Its socket is not to block."""
        with suppress(OSError):  # it is gone, which is noticed when it is read from
            client.send(answer, _MORE_FOLLOWS)  # into an empty buffer, which takes it whole
            client.shutdown(socket.SHUT_WR)
        self.keep(client)

    def keep(self, client: socket.socket) -> None:
        """Take a client that was answered, and to whom nothing more will be sent."""
        self._fresh.append((self._loop.time(), client))
        if self.held > KEPT:
            self._close_first()
        self._lookout.begin()

    def _close_first(self) -> None:
        if self._sending:
            client = next(iter(self._sending))
            self._forget(client)
        else:
            _, client = self._fresh.popleft()
        with suppress(OSError):  # nothing has come, or it is gone
            client.recv_into(_UNSEEN, _LAST, _THROW_AWAY)
        client.close()

    def _check(self) -> bool:
        now = self._loop.time()
        while self._fresh and now - self._fresh[0][0] >= self._patience:
            self._read_on(*self._fresh.popleft())
        self._let_go(now)
        return self.held > 0

    def _read_on(self, since: float, client: socket.socket) -> None:
        """Throw away what comes from now on, a lot at a time."""
        if not _throw_away(client):
            client.close()
            return
        with suppress(OSError):  # it is gone, of which the event loop will hear
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, _TOGETHER)
        self._sending[client] = since
        self._loop.add_reader(client, self._read, client)

    def _read(self, client: socket.socket) -> None:
        if not _throw_away(client):
            self._forget(client)
            client.close()

    def _let_go(self, now: float) -> None:
        late = [each for each, since in self._sending.items() if now - since >= self._linger]
        for client in late:
            self._forget(client)
            with suppress(OSError):  # it is gone, of which the event loop will hear
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            self._go(client)

    def _forget(self, client: socket.socket) -> None:
        del self._sending[client]
        self._loop.remove_reader(client)


def _throw_away(client: socket.socket) -> bool:
    """Take what has come; False where the client has hung up."""
    try:
        for _ in range(_READS):
            if not client.recv_into(_UNSEEN, 0, _THROW_AWAY):
                return False
    except BlockingIOError:
        pass
    except OSError:  # it has hung up without a word
        return False
    return True
