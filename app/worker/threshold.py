"""Fresh connections while there is too much to do: looked at before anything is set up for them.

A large request that is refused costs its connection and what is done to read it. Of five that come
four are refused, and the time for that is taken from the fifth. Here the head is looked at where
the system keeps it, and the body is thrown away there.
"""

import socket
from asyncio import AbstractEventLoop
from collections.abc import Callable

from app.worker.cutting import HEAD_END
from app.worker.doorstep import Doorstep
from app.worker.ends import Ends
from app.worker.expected import is_large
from app.worker.heads import MAX_PLAIN_HEAD, Environ, Head, recognise
from app.worker.looking import Lookout
from app.worker.responding import Responder

PATIENCE_SECONDS = 0.2
"""Seconds that a client may take to send a head until it is treated like all others."""


class Threshold:
    """Looks at fresh connections that are not encrypted.

    Args:
        responder: says who is refused.
        environ: what the environment of all requests says.
        doorstep: for those.
        loop: of this worker.
        go: given all others.
        patience: seconds that a client may be silent here.
    """

    def __init__(
        self,
        responder: Responder,
        environ: Environ,
        doorstep: Doorstep,
        loop: AbstractEventLoop,
        go: Callable[[socket.socket], None],
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._responder, self._environ, self._doorstep = responder, environ, doorstep
        self._loop, self._go, self._patience = loop, go, patience
        self._silent: dict[socket.socket, float] = {}  # until when they may be
        self._lookout = Lookout(loop, self._check)

    @property
    def held(self) -> int:
        """How many connections are here."""
        return len(self._silent)

    def receive(self, client: socket.socket) -> None:
        """Take a connection that was just accepted, and is not to block."""
        if not self._look(client):
            self._silent[client] = self._loop.time() + self._patience
            self._loop.add_reader(client, self._came, client)
            self._lookout.begin()

    def close(self) -> None:
        """Treat all like any others from now on."""
        self._settle(float("inf"))

    def _came(self, client: socket.socket) -> None:
        self._forget(client)
        if not self._look(client):
            self._go(client)

    def _look(self, client: socket.socket) -> bool:
        """Send a client its way; False while it has sent nothing."""
        try:
            begin = client.recv(MAX_PLAIN_HEAD, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:  # it is gone, of which the event loop will hear
            begin = b""
        head = recognise(begin[: begin.find(HEAD_END) + len(HEAD_END)]) if begin else None
        answer = self._answer(client, head) if head is not None else None
        if answer is None:
            self._go(client)
        else:
            self._doorstep.turn_away(client, answer)
        return True

    def _answer(self, client: socket.socket, head: Head) -> bytes | None:
        if not is_large(head):
            return None  # to refuse it later costs nothing more, and its connection can be kept
        try:
            there = client.getpeername()
        except OSError:  # it is gone
            return None
        return self._responder.early(head, Ends(self._environ, client.getsockname, there))

    def _forget(self, client: socket.socket) -> None:
        del self._silent[client]
        self._loop.remove_reader(client)

    def _check(self) -> bool:
        self._settle(self._loop.time())
        return bool(self._silent)

    def _settle(self, now: float) -> None:
        """Treat those whose time here is up like all others."""
        for client in [each for each, until in self._silent.items() if until <= now]:
            self._forget(client)
            self._go(client)
