"""What is to be seen to when a handshake of TLS has succeeded."""

import asyncio
import socket
import ssl
import time
from contextlib import suppress

_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
"""Of Linux."""


def acknowledge(transport: asyncio.Transport) -> None:
    """Have the end of a handshake acknowledged now, since nothing is sent that would do it.

    The first request of a client that gathers small packets would wait for that, by 40 ms.
    """
    if _QUICKACK is not None:
        with suppress(OSError):  # a UNIX socket has no such option
            end: socket.socket = transport.get_extra_info("socket")
            end.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)


def is_stale(tls: ssl.SSLObject) -> bool:
    """Whether a client resumes a session of TLS 1.2 with a certificate that has expired since.

    OpenSSL does not look again at what it has verified for that session.
    """
    shown = tls.getpeercert() if tls.session_reused else None
    if not shown:
        return False
    return ssl.cert_time_to_seconds(str(shown["notAfter"])) < time.time()
