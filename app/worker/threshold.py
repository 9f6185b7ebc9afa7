"""Fresh connections while there is too much to do: looked at before anything is set up for them.

A large request that is refused costs its connection and what is done to read it. Of five that come
four are refused, and the time for that is taken from the fifth. Here the head is looked at where
the system keeps it, and the body is thrown away there.
"""

import socket
import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum, auto

from app.worker.allowances import LINGER_SECONDS
from app.worker.cutting import HEAD_END
from app.worker.ends import ends
from app.worker.heads import MAX_PLAIN_HEAD, Environ, Head, recognise
from app.worker.responding import Responder, is_large


class Way(Enum):
    """Where a connection goes from here."""

    IN = auto()  # to be served
    OUT = auto()  # it was answered, and may still be sending


PATIENCE = {Way.IN: 0.2, Way.OUT: LINGER_SECONDS}
"""Seconds that a client may take to send a head, or to hang up when it was refused, until it is
treated like all others."""

_CHECK_SECONDS = 0.1

_UNSEEN = bytearray(1 << 20)
_TOGETHER = 1 << 18
"""Bytes of a body that are waited for before they are thrown away."""

_AT_ONCE = 4
"""A client may send as fast as that is done, and others want their turn."""

_THROW_AWAY = socket.MSG_TRUNC if sys.platform == "linux" else 0
"""Linux need not copy what is thrown away."""


class Threshold:
    """Looks at fresh connections that are not encrypted.

    Args:
        responder: says who is refused.
        environ: what the environment of all requests says.
        loop: of this worker.
        go: given a client and its way, if that is not settled here.
        patience: seconds, by way.
    """

    def __init__(
        self,
        responder: Responder,
        environ: Environ,
        loop: AbstractEventLoop,
        go: Callable[[socket.socket, Way], None],
        patience: Mapping[Way, float] = PATIENCE,
    ) -> None:
        self._responder, self._environ, self._loop, self._go = responder, environ, loop, go
        self._patience = patience
        self._here: dict[socket.socket, tuple[float, Way]] = {}  # until when
        self._checking = False

    @property
    def held(self) -> int:
        """How many connections are here."""
        return len(self._here)

    def receive(self, client: socket.socket) -> None:
        """Take a connection that was just accepted, and is not to block."""
        if not self._look(client):
            self._keep(client, Way.IN, self._came)

    def close(self) -> None:
        """Treat all like any others from now on."""
        self._settle(float("inf"))

    def _came(self, client: socket.socket) -> None:
        self._forget(client)
        if not self._look(client):
            self._go(client, Way.IN)

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
            self._go(client, Way.IN)
        else:
            self._refuse(client, answer)
        return True

    def _answer(self, client: socket.socket, head: Head) -> bytes | None:
        if not is_large(head):
            return None  # to refuse it later costs nothing more, and its connection can be kept
        try:
            here, there = client.getsockname(), client.getpeername()
        except OSError:  # it is gone
            return None
        return self._responder.early(head, self._environ | ends(here, there))

    def _refuse(self, client: socket.socket, answer: bytes) -> None:
        with suppress(OSError):  # it is gone, which is noticed like any other end
            client.send(answer)  # into an empty buffer, which takes it whole
            client.shutdown(socket.SHUT_WR)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, _TOGETHER)
        self._keep(client, Way.OUT, self._throw_away)

    def _throw_away(self, client: socket.socket) -> None:
        """Take what a refused client still sends, so that it comes to read why it is refused."""
        try:
            for _ in range(_AT_ONCE):
                if not client.recv_into(_UNSEEN, 0, _THROW_AWAY):
                    break
            else:
                return
        except BlockingIOError:
            return
        except OSError:
            pass  # it has hung up without a word
        self._forget(client)
        client.close()

    def _keep(
        self, client: socket.socket, way: Way, ready: Callable[[socket.socket], None]
    ) -> None:
        self._here[client] = self._loop.time() + self._patience[way], way
        self._loop.add_reader(client.fileno(), ready, client)
        self._check_later()

    def _forget(self, client: socket.socket) -> None:
        del self._here[client]
        self._loop.remove_reader(client.fileno())

    def _check_later(self) -> None:
        if not self._checking:
            self._checking = True
            self._loop.call_later(_CHECK_SECONDS, self._check)

    def _check(self) -> None:
        self._checking = False
        self._settle(self._loop.time())
        if self._here:
            self._check_later()

    def _settle(self, now: float) -> None:
        """Treat those whose time here is up like all others."""
        ended = [(client, way) for client, (until, way) in self._here.items() if until <= now]
        for client, way in ended:
            self._forget(client)
            with suppress(OSError):  # it is gone, of which the event loop will hear
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            self._go(client, way)
