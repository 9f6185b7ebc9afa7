"""What a connection knows of the process that it is in."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.http.fast import FastPath, Plain
from app.registry import Lineup
from app.worker.heads import Environ


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes that a client may take.

    Attributes:
        request: seconds from a request's first byte to its last.
        idle: seconds between two requests.
        write: seconds in which a client must take its answer.
        linger: seconds that a client which is refused gets to read why.
        body: bytes of body that are kept.
        parser: limits on lines and fields, as gunicorn's parser names them.
    """

    request: float
    idle: float
    write: float
    linger: float
    body: int
    parser: dict[str, int]


class Server(Protocol):
    """What a connection asks of the process that it is in."""

    limits: Limits
    now: float  # the event loop's clock at the last look at all connections
    stopping_since: float  # on the event loop's clock; infinity while it does not
    environ: Environ
    connections: set[asyncio.Protocol]
    fast: FastPath | None  # what answers plain predictions without WSGI

    def is_brief(self, path: str, length: int) -> bool:
        """Whether a request that is no plain prediction can be answered on the event loop."""

    def predict(self, plain: Plain, body: bytes, keep_alive: bool, lineup: Lineup | None) -> bytes:
        """The whole answer to a plain prediction request. Never raises."""

    def answer(self, environ: Environ, body: bytes, keep_alive: bool) -> bytes:
        """The whole answer to a request. Never raises."""

    def refuse(self, error: Exception, remote: str | None) -> bytes:
        """The whole answer to what is no request."""

    def send_soon(self, send: Callable[[], None]) -> None:
        """Have this done when all that is ready on the event loop has had its turn."""

    def in_thread(self, work: Callable[[], bytes], then: Callable[[bytes], None]) -> None:
        """Do some work beside the event loop, and then something on it."""
