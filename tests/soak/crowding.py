"""Many slow clients in one process: ``python -m tests.soak.crowding PORT SECONDS KIND=COUNT ...``.

Kinds: ``heads`` and ``bodies`` send a byte a second, ``readers`` ask for much and read a byte a
second, ``idle`` send one request and nothing more, ``churn`` connect and go, again and again,
``wrong`` send a body every second in which each row is to be explained.
Prints as JSON for each kind how many were sent away, and how long the last of them stayed.
"""

import asyncio
import json
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
ROW = HEAD + b'Content-Length: 15\r\n\r\n{"x":[1,2,0.5]}'
ROWS = b'{"x":[' + b"[1,2,0.5]," * 1_999 + b"[1,2,0.5]]}"
MUCH = (HEAD + b"Content-Length: %d\r\n\r\n" % len(ROWS) + ROWS) * 200
WRONG = b'{"x":[' + b"[1,2,true]," * 23_000 + b"[1,2,3]]}"
EXPLAINED = HEAD + b"Content-Length: %d\r\n\r\n" % len(WRONG) + WRONG
PAUSE_SECONDS = 1.0
_CLOSED = 7  # TCP_CLOSE of Linux

Client = Callable[[socket.socket], Awaitable[bool]]


async def dripping(client: socket.socket, begun: bytes, byte: bytes) -> bool:
    """Send what has begun, then a byte a second. Returns whether the service ended it."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(client, begun)
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_SECONDS):
                await loop.sock_recv(client, 1 << 16)
                return True
        await loop.sock_sendall(client, byte)


async def heads(client: socket.socket) -> bool:
    """A head that never ends."""
    return await dripping(client, HEAD + b"X: ", b"a")


async def bodies(client: socket.socket) -> bool:
    """A body that does not end in time."""
    return await dripping(client, HEAD + b"Content-Length: 100000\r\n\r\n", b" ")


async def readers(client: socket.socket) -> bool:
    """Answers that are not taken."""
    loop = asyncio.get_running_loop()
    asking = asyncio.create_task(loop.sock_sendall(client, MUCH))
    try:
        while not _is_reset(client) and await loop.sock_recv(client, 1):
            await asyncio.sleep(PAUSE_SECONDS)
    finally:
        asking.cancel()
        with suppress(OSError, asyncio.CancelledError):
            await asking
    return True


def _is_reset(client: socket.socket) -> bool:
    """Whether the connection is over, which reading tells only when all that arrived is read."""
    state: int = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state == _CLOSED


async def idle(client: socket.socket) -> bool:
    """One request, then nothing."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(client, ROW)
    while await loop.sock_recv(client, 1 << 16):
        pass
    return True


async def churn(client: socket.socket) -> bool:
    """Every second one leaves without a word, every second one with half a request."""
    loop = asyncio.get_running_loop()
    if client.fileno() % 2:
        await loop.sock_sendall(client, ROW[:-5])
    await asyncio.sleep(0.1)
    return False


async def wrong(client: socket.socket) -> bool:
    """Large bodies that are answered with what is wrong. Returns whether one was not."""
    loop = asyncio.get_running_loop()
    while True:
        await loop.sock_sendall(client, EXPLAINED)
        answer = b""
        while not answer.endswith(b"]}"):
            piece = await loop.sock_recv(client, 1 << 16)
            if not piece:
                return True
            answer += piece
        if not answer.startswith(b"HTTP/1.1 400 ") or b"23000 problems in 23001 rows" not in answer:
            return True
        await asyncio.sleep(PAUSE_SECONDS)


ALL = (heads, bodies, readers, idle, churn, wrong)
KINDS: dict[str, Client] = {each.__name__: each for each in ALL}


async def crowd(port: int, seconds: float, kind: str, count: int) -> dict[str, object]:
    """Have so many clients at once for so long."""
    closed: list[float] = []
    opened = 0

    async def one() -> None:
        nonlocal opened
        with socket.socket() as client:
            client.setblocking(False)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
            opened += 1
            begin = time.monotonic()
            try:
                is_closed = await KINDS[kind](client)
            except OSError:
                is_closed = True
            if is_closed:
                closed.append(time.monotonic() - begin)

    async def again_and_again() -> None:
        while True:
            await one()

    work = again_and_again if kind == "churn" else one
    tasks = [asyncio.create_task(work()) for _ in range(count)]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    failed = sum(isinstance(each, OSError) for each in done)
    last = round(max(closed, default=0.0), 1)
    return {"kind": kind, "opened": opened, "closed": len(closed), "last": last, "failed": failed}


async def main(arguments: list[str]) -> None:
    """Run all crowds beside each other."""
    port, seconds = int(arguments[0]), float(arguments[1])
    asked = [each.split("=") for each in arguments[2:]]
    told = await asyncio.gather(*(crowd(port, seconds, kind, int(n)) for kind, n in asked))
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
