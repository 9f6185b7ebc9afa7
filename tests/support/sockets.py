"""Two ends of a connection, without a service, and the event loop that one of them is on."""

import asyncio
import socket
import sys
from collections.abc import Callable

SECONDS = 20.0

_SEGMENTS_IN = 140
"""Where tcpi_segs_in is in Linux's tcp_info."""


def connected() -> tuple[socket.socket, socket.socket]:
    """A client that has connected over TCP, and the socket that was accepted for it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), SECONDS)
        here, _ = listener.accept()
    return client, here


def segments(client: socket.socket) -> int:
    """How many segments a client has got by now. Linux alone tells that."""
    told = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SEGMENTS_IN + 4)
    return int.from_bytes(told[_SEGMENTS_IN:], sys.byteorder)


def run_until(loop: asyncio.AbstractEventLoop, condition: Callable[[], object]) -> None:
    """Let a loop run until this is true, for a bounded time."""

    async def wait() -> None:
        async with asyncio.timeout(SECONDS):
            while not condition():
                await asyncio.sleep(0)

    loop.run_until_complete(wait())
