"""The socket of one client, served in the turn of the event loop in which it has something to say.

The event loop's own transport makes a callback of each event, which waits in a queue to be run in a
context of its own, and takes a task, a future and three more turns to begin: a twentieth of what a
row costs, and a third of what a connection does.
"""

import asyncio
import selectors
import socket
from contextlib import suppress
from typing import Any

from app.worker.turn import Turn, Watched

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

_FEW, _MOST = 1 << 14, 1 << 18
"""Bytes that are read at a time, at first and from a client who has sent as many: room for them is
made before it is known how many there are."""


class SocketTransport(Watched, asyncio.Transport):
    """A transport as the event loop's are, for what a connection needs of them.

    Its protocol pauses as soon as a byte has to wait, and resumes when the last one is gone.

    Args:
        end: the socket, connected and not blocking; it is closed here.
        protocol: told of what comes, from now on.
        turn: the selector of the event loop.
        loop: of this worker.
    """

    __slots__ = (
        "_closing",
        "_end",
        "_ended",
        "_events",
        "_is_lost",
        "_left",
        "_loop",
        "_most",
        "_number",
        "_over",
        "_protocol",
        "_turn",
    )

    def __init__(
        self,
        end: socket.socket,
        protocol: asyncio.Protocol,
        turn: Turn,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__()
        self._end, self._number, self._protocol = end, end.fileno(), protocol
        self._turn, self._loop = turn, loop
        self._most = _FEW
        self._events = 0  # that are watched for
        self._left: memoryview | bytes = b""  # what is still to be sent
        self._over = self._ended = False  # the client, or we, have closed that direction
        self._closing = self._is_lost = False
        protocol.connection_made(self)
        if not self._closing:
            self._watch(_READ)

    # ---- what the turn tells -----------------------------------------------------------------

    def ready(self, events: int) -> None:
        """Read and write what is possible now."""
        if events & self._events & _READ:
            self._receive()
        if events & self._events & _WRITE:  # which the protocol may have ended just now
            self._send()

    def failed(self, error: Exception) -> None:
        """Tell of an error of the protocol, and close."""
        told = {"message": "a connection failed", "exception": error, "transport": self}
        self._loop.call_exception_handler(told)
        self._lose(error)

    # ---- what the protocol asks for ----------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview, flags: int = 0) -> None:
        """Send, as much as the system takes at once, by these flags, the rest later."""
        self._most = _FEW  # what comes next begins with a head, and may not be wanted
        if self._left:
            self._left = memoryview(b"".join((self._left, data)))
            return
        if self._is_lost or not data:
            return
        if self._ended:
            raise RuntimeError("the end was sent before this")
        try:
            sent = self._end.send(data, flags)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._lose(error)
            return
        if sent < len(data):
            self._left = memoryview(data)[sent:]
            self._watch(self._events | _WRITE)
            self._protocol.pause_writing()

    def can_write_eof(self) -> bool:
        """TCP can close one direction alone."""
        return True

    def write_eof(self) -> None:
        """Close our direction when all is sent.

        Raises:
            OSError: the client is gone.
        """
        if not self._closing and not self._ended:
            self._ended = True
            if not self._left:
                self._end.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close when all is sent, and read no more."""
        if not self._closing:
            self._closing = True
            if self._left:
                self._watch(_WRITE)
            else:
                self._lose(None)

    def abort(self) -> None:
        """Close, whatever is still to be sent."""
        self._lose(None)

    def is_closing(self) -> bool:
        """Whether it is closed, or will be."""
        return self._closing

    def is_reading(self) -> bool:
        """Whether what comes is read."""
        return bool(self._events & _READ)

    def pause_reading(self) -> None:
        """Let the client wait."""
        self._watch(self._events & ~_READ)

    def resume_reading(self) -> None:
        """Read on."""
        if not self._closing and not self._over:
            self._watch(self._events | _READ)

    def get_write_buffer_size(self) -> int:
        """Bytes that are still to be sent."""
        return len(self._left)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """The `socket`, or its `peername`."""
        if name == "socket":
            return self._end
        with suppress(OSError):  # the client is gone
            if name == "peername":
                return self._end.getpeername()
        return default

    def detach(self) -> socket.socket | None:
        """Give the socket away, and tell the protocol that it is lost.

        Returns:
            None where it is lost already, or something is still to be sent.
        """
        if self._is_lost or self._left:
            return None
        self._forget()
        self._loop.call_soon(self._protocol.connection_lost, None)
        return self._end

    # ------------------------------------------------------------------------------------------

    def _receive(self) -> None:
        try:
            data = self._end.recv(self._most)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error)
            return
        if data:
            if len(data) == _FEW:
                self._most = _MOST
            self._protocol.data_received(data)
            return
        self._over = True
        if self._protocol.eof_received():
            self.pause_reading()
        else:
            self.close()

    def _send(self) -> None:
        try:
            sent = self._end.send(self._left)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error)
            return
        self._left = self._left[sent:]
        if self._left:
            return
        self._left = b""
        self._watch(self._events & ~_WRITE)
        self._protocol.resume_writing()
        if self._left:
            return
        if self._closing:
            self._lose(None)
        elif self._ended:
            with suppress(OSError):  # the client is gone, which is noticed by reading
                self._end.shutdown(socket.SHUT_WR)

    def _watch(self, events: int) -> None:
        """Hear of these events from now on."""
        if events == self._events or self._is_lost:
            return
        if not self._events:
            self._turn.register(self._number, events, self)
        elif events:
            self._turn.modify(self._number, events, self)
        else:
            self._turn.unregister(self._number)
        self._events = events

    def _lose(self, error: Exception | None) -> None:
        """Close, and tell the protocol, when whoever asks for it has done what he was about."""
        if not self._is_lost:
            self._forget()
            self._loop.call_soon(self._lost, error)

    def _forget(self) -> None:
        self._watch(0)
        self._left, self._closing, self._is_lost = b"", True, True

    def _lost(self, error: Exception | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            self._end.close()
