"""Taking in connections, so that workers share them evenly and nobody is lost to a full table."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from math import inf

from app.errors import Overloaded
from app.worker.admission import BUSY
from app.worker.closing import close_when_empty, is_awaited, keep_out
from app.worker.connection import Connection
from app.worker.encrypting import Encryption
from app.worker.server import Server
from app.worker.threshold import Threshold
from app.worker.transport import SocketTransport

_WAIT_SECONDS = 0.0005
_MOST_WAITS = 6
_AT_ONCE = 256
"""When there is too much to do, turns of the event loop are rare, and who is to be refused should
hear of it soon."""

_PAUSE_SECONDS = 0.1
_WARN_SECONDS = 10.0


class Acceptor:
    """One listening socket, as seen by one of the workers that share it.

    The kernel wakes every worker for a connection, and the first takes it. A worker that has more
    connections than another leaves it to that one for a few moments: without that, one worker may
    get nearly all of the few connections of a busy client.

    Args:
        server: gets the connections.
        listener: the socket, not blocking.
        tls: gives the context of TLS for the next one; None where none is spoken.
        most: connections that this worker keeps.
        loop: of this worker.
        warn: told when the process or the machine has no room for connections.
    """

    def __init__(
        self,
        server: Server,
        listener: socket.socket,
        tls: Callable[[], ssl.SSLContext] | None,
        *,
        most: int,
        loop: asyncio.AbstractEventLoop,
        warn: Callable[[str], None],
    ) -> None:
        self._server, self._listener, self._tls = server, listener, tls
        self._most, self._loop, self._warn = most, loop, warn
        self._warned = -inf
        self._waiting: asyncio.TimerHandle | None = None
        self._waits, self._is_last = 0, False
        with suppress(OSError):  # a UNIX socket has no such option
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # and all from it
        self._threshold = Threshold(
            server.responder, server.environ, server.doorstep, loop, self._enter
        )

    def start(self) -> None:
        """Take in connections from now on."""
        self._waiting = None
        self._loop.add_reader(self._listener, self._ready)

    def stop(self) -> None:
        """Leave connections to others."""
        self._loop.remove_reader(self._listener)
        if self._waiting is not None:
            self._waiting.cancel()

    def keep_out(self) -> None:
        """Have nobody begin to connect from now on, for the good of those who have begun.

        For a socket that all who share it are about to close.
        """
        self._is_last = keep_out(self._listener)

    @property
    def is_awaited(self) -> bool:
        """Whether it is known that somebody is connecting who would be lost by closing now."""
        return self._is_last and is_awaited(self._listener)

    def finish(self) -> None:
        """Take in whoever has connected by now, then nobody: the socket is closed."""
        self.stop()
        while self._accept():
            pass
        if self._waiting is not None:
            self._waiting.cancel()
        close_when_empty(self._listener, self._take)
        self._threshold.close()

    def _ready(self) -> None:
        if self._waits < _MOST_WAITS and not self._server.share.is_first(self._count()):
            self._waits += 1
            self._loop.remove_reader(self._listener)
            self._waiting = self._loop.call_later(_WAIT_SECONDS, self.start)
            return
        self._waits = 0
        for _ in range(_AT_ONCE):
            if self._is_full() and self._server.make_room():
                return  # those that go are gone when the event loop comes back
            if not self._accept() or not self._server.share.is_first(self._count()):
                return

    def _count(self) -> int:
        return len(self._server.connections) + self._threshold.held

    def _is_full(self) -> bool:
        return self._count() >= self._most

    def _accept(self) -> bool:
        """Take in one connection; False if there is none left for this worker now."""
        try:
            client, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # another worker, or the client
            return False
        except OSError as error:
            self._pause(error)
            return False
        self._take(client)
        return True

    def _take(self, client: socket.socket) -> None:
        client.setblocking(False)
        if self._is_full():
            self._turn_away(client)
            return
        if self._tls is None and self._server.responder.admission.is_crowded:
            self._threshold.receive(client)
        else:
            self._enter(client)
        self._server.share.tell(self._count())

    def _enter(self, client: socket.socket) -> None:
        """Have a client served."""
        SocketTransport(client, self._arrival(), self._server.turn, self._loop)

    def _pause(self, error: OSError) -> None:
        """Let others close something first; asking again at once would only burn the processor."""
        now = self._loop.time()
        if now - self._warned > _WARN_SECONDS:
            self._warn(f"A connection cannot be accepted now: {error.strerror}.")
            self._warned = now
        self._server.make_room()
        self._loop.remove_reader(self._listener)
        self._waiting = self._loop.call_later(_PAUSE_SECONDS, self.start)

    def _turn_away(self, client: socket.socket) -> None:
        if self._tls is None:
            busy = self._server.responder.refuse(Overloaded(BUSY), None)
            self._server.doorstep.turn_away(client, busy)
        else:  # an answer would take a handshake first
            self._server.responder.unsecured(Overloaded(BUSY), None)
            client.close()

    def _arrival(self) -> Connection | Encryption:
        if self._tls is None:
            return Connection(self._server, self._loop)
        return Encryption(self._tls(), self._server, self._loop)


def let_out(server: Server, loop: asyncio.AbstractEventLoop, client: socket.socket) -> None:
    """Look after a client that was answered for the last time, until it hangs up or time is up."""
    connection = Connection(server, loop)
    connection.let_out()
    SocketTransport(client, connection, server.turn, loop)
