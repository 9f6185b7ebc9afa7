"""Taking in connections, so that workers share them evenly and nobody is lost to a full table."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from app.worker.connection import Connection
from app.worker.server import Server

_WAIT_SECONDS = 0.0001
_MOST_WAITS = 8
_PAUSE_SECONDS = 0.1


class Acceptor:
    """One listening socket, as seen by one of the workers that share it.

    The kernel wakes every worker for a connection, and the first takes it. A worker that has
    connections already waits for a moment, the longer the more it has, so that one with fewer is
    faster: without that, one worker may get nearly all of the few connections of a busy client.

    Args:
        server: gets the connections.
        listener: the socket, not blocking.
        tls: a context to wrap them in, or None.
        alone: whether no other worker listens.
        loop: of this worker.
        warn: told when the process or the machine has no room for connections.
    """

    def __init__(
        self,
        server: Server,
        listener: socket.socket,
        tls: Any,
        *,
        alone: bool,
        loop: asyncio.AbstractEventLoop,
        warn: Callable[[str], None],
    ) -> None:
        self._server, self._listener, self._tls = server, listener, tls
        self._alone, self._loop, self._warn = alone, loop, warn
        self._arriving: set[asyncio.Task[None]] = set()  # the loop itself holds none of them
        self._waiting: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Take in connections from now on."""
        self._waiting = None
        self._loop.add_reader(self._listener, self._ready)

    def stop(self) -> None:
        """Leave connections to others."""
        self._loop.remove_reader(self._listener)
        if self._waiting is not None:
            self._waiting.cancel()

    @property
    def idle(self) -> bool:
        """Whether no connection is on its way in."""
        return not self._arriving

    def _ready(self) -> None:
        have = len(self._server.connections) + len(self._arriving)
        if self._alone or not have:
            self._accept(1 + have // 8)
            return
        self._loop.remove_reader(self._listener)
        wait = _WAIT_SECONDS * min(have, _MOST_WAITS)
        self._waiting = self._loop.call_later(wait, self._accept_and_start, 1 + have // 8)

    def _accept_and_start(self, most: int) -> None:
        self.start()
        self._accept(most)

    def _accept(self, most: int) -> None:
        for _ in range(most):
            try:
                client, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):  # another worker, or the client
                return
            except OSError as error:
                self._pause(error)
                return
            task = self._loop.create_task(self._connect(client))
            self._arriving.add(task)
            task.add_done_callback(self._arriving.discard)

    def _pause(self, error: OSError) -> None:
        """Let others close something first; asking again at once would only burn the processor."""
        self._warn(f"A connection cannot be accepted now: {error.strerror}.")
        self._loop.remove_reader(self._listener)
        self._waiting = self._loop.call_later(_PAUSE_SECONDS, self.start)

    async def _connect(self, client: socket.socket) -> None:
        client.setblocking(False)
        with suppress(OSError):  # a UNIX socket has no such option
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await self._loop.connect_accepted_socket(
                lambda: Connection(self._server, self._loop), client, ssl=self._tls
            )
        except OSError:  # it is gone, or spoke no TLS
            client.close()
