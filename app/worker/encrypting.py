"""TLS between a socket and a connection, which sees plain bytes and need not know.

The event loop's own TLS zeroes 256 KB for each connection, cannot close one direction alone, so
that a refusal is lost while its client still sends, and has no answer for a client that closes its
side. This one keeps a record at most, counts an unfinished handshake as a connection with a
deadline, and leaves everything else to OpenSSL.
"""

import asyncio
import ssl
from contextlib import suppress
from typing import Any

from app.worker.connection import Connection
from app.worker.handshakes import acknowledge, is_stale
from app.worker.refusals import PlainRequest
from app.worker.server import Server
from app.worker.timing import LAST_CALL_SECONDS

_RECORD = 1 << 14
"""Bytes of a record of TLS at most."""

_SLICE = 1 << 16
"""Bytes that are decrypted or encrypted at a time: what a buffer has once held, it keeps."""


class Encryption(asyncio.Transport, asyncio.Protocol):
    """The protocol of a socket's transport, and the transport of a connection.

    Args:
        context: of TLS.
        server: has the handshake looked after, then the connection.
        loop: of this worker.
    """

    def __init__(
        self, context: ssl.SSLContext, server: Server, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__()
        self._server, self._loop = server, loop
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arrived, self._leaving, server_side=True)
        self._socket: asyncio.Transport | None = None
        self._connection: Connection | None = None  # as soon as the handshake is done
        self._sealed = False  # nothing more is encrypted or decrypted
        self._over = False  # the client has said that it will send no more
        self._since = loop.time()

    # ---- what the socket tells ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a handshake."""
        assert isinstance(transport, asyncio.Transport)
        self._socket = transport
        self._server.join(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the client."""
        self._socket = None
        if self._connection is None:
            self._server.leave(self)
        else:
            self._connection.connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        if self._sealed:
            if self._connection is not None:
                self._connection.data_received(data)  # to be counted: it is no longer read
        elif self._connection is None:
            self._arrived.write(data)
            self._shake_hands()
        elif not self._over:
            self._decrypt(data)

    def eof_received(self) -> bool:
        """Answer a client that closes its side without a word, as many do, and say goodbye."""
        if self._connection is None:
            return False
        is_answering = self._connection.eof_received()
        if not is_answering:
            self._seal()
        return is_answering

    def pause_writing(self) -> None:
        """Have the connection know that its client lets an answer wait."""
        if self._connection is not None:
            self._connection.pause_writing()

    def resume_writing(self) -> None:
        """Have it go on."""
        if self._connection is not None:
            self._connection.resume_writing()

    # ---- what the connection asks for ---------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send."""
        if self._sealed:
            return
        left = memoryview(data)
        try:
            while left:
                left = left[self._tls.write(left[:_RECORD]) :]
                if self._leaving.pending >= _SLICE:
                    self._flush()
        except ssl.SSLError:
            self.abort()
        self._flush()

    def can_write_eof(self) -> bool:
        """TLS can close one direction as TCP can."""
        return True

    def write_eof(self) -> None:
        """Say goodbye, and let the client go on sending what will not be read."""
        self._seal()
        if self._socket is not None:
            self._socket.write_eof()

    def close(self) -> None:
        """Say goodbye and close, without waiting for the client's."""
        self._seal()
        if self._socket is not None:
            self._socket.close()

    def abort(self) -> None:
        """Close at once."""
        self._sealed = True
        if self._socket is not None:
            self._socket.abort()

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._socket is None or self._socket.is_closing()

    def pause_reading(self) -> None:
        """Let the client wait."""
        if self._socket is not None:
            self._socket.pause_reading()

    def resume_reading(self) -> None:
        """Let it go on."""
        if self._socket is not None:
            self._socket.resume_reading()

    def get_write_buffer_size(self) -> int:
        """As of the socket's transport."""
        return 0 if self._socket is None else self._socket.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As of the socket's transport; `peercert` is the client's certificate, if verified."""
        if name == "peercert":
            return self._tls.getpeercert()
        return default if self._socket is None else self._socket.get_extra_info(name, default)

    # ---- the handshake, and its deadline ------------------------------------------------------

    def check_time(self, now: float) -> None:
        """End a handshake that takes too long; called about once a second."""
        limits, waited = self._server.limits, now - self._since
        late = waited > (limits.linger if self._sealed else limits.request)
        if late or now - max(self._since, self._server.stopping_since) > LAST_CALL_SECONDS:
            self.abort()

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError as error:
            self._refuse(error)
        else:
            self._flush()
            if is_stale(self._tls):
                self.abort()
            else:
                self._begin()

    def _begin(self) -> None:
        assert self._socket is not None
        acknowledge(self._socket)
        self._server.leave(self)
        self._connection = Connection(self._server, self._loop)
        self._connection.connection_made(self)
        self._decrypt(b"")  # what came with the end of the handshake

    def _refuse(self, error: ssl.SSLError) -> None:
        """Tell the client why not, and give it time to read that."""
        assert self._socket is not None
        remote = (self._socket.get_extra_info("peername") or ("",))[0]
        self._since = self._loop.time()
        if error.reason == "HTTP_REQUEST":
            self._sealed = True
            self._socket.write(self._server.responder.refuse(PlainRequest(), remote))
        else:
            self._server.responder.unsecured(error, remote)
            self._seal()
        with suppress(OSError):  # the client is gone, of which the event loop will hear
            self._socket.write_eof()

    # ---- records ------------------------------------------------------------------------------

    def _decrypt(self, data: bytes) -> None:
        """Hand on what is in the records that are complete."""
        assert self._connection is not None
        plain: list[bytes] = []
        sealed = memoryview(data)
        try:
            for start in range(0, len(data) or 1, _SLICE):
                self._arrived.write(sealed[start : start + _SLICE])
                self._read(plain)
        except ssl.SSLError:  # not what was sent, or not TLS at all
            self.close()
            return
        self._flush()
        if plain:
            self._connection.data_received(plain[0] if len(plain) == 1 else b"".join(plain))
        if self._over and not self._connection.eof_received():
            self.close()

    def _read(self, plain: list[bytes]) -> None:
        while not self._over:
            try:
                piece = self._tls.read(_RECORD)
            except ssl.SSLWantReadError:
                return
            if not piece:
                self._over = True
                return
            plain.append(piece)
            if not self._arrived.pending and not self._tls.pending():
                return

    def _seal(self) -> None:
        """Say goodbye, once; after an error, say what it was."""
        if not self._sealed:
            self._sealed = True
            with suppress(ssl.SSLError):  # it would wait for the client's
                self._tls.unwrap()
            self._flush()

    def _flush(self) -> None:
        if self._leaving.pending and self._socket is not None:
            self._socket.write(self._leaving.read())
