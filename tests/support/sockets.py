"""Two ends of a connection, without a service, and the event loop that one of them is on."""

import asyncio
import socket
from collections.abc import Callable

SECONDS = 20.0


def connected() -> tuple[socket.socket, socket.socket]:
    """A client that has connected over TCP, and the socket that was accepted for it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), SECONDS)
        here, _ = listener.accept()
    return client, here


def run_until(loop: asyncio.AbstractEventLoop, condition: Callable[[], object]) -> None:
    """Let a loop run until this is true, for a bounded time."""

    async def wait() -> None:
        async with asyncio.timeout(SECONDS):
            while not condition():
                await asyncio.sleep(0)

    loop.run_until_complete(wait())
