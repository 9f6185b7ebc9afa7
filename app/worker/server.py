"""What a connection knows of the process that it is in."""

from dataclasses import dataclass
from typing import Protocol

from app.worker.doorstep import Doorstep
from app.worker.heads import Environ
from app.worker.responding import Responder
from app.worker.shares import Share
from app.worker.turn import Turn


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes that a client may take.

    Attributes:
        request: seconds from a request's first byte to its last.
        idle: seconds between two requests, and before the first.
        write: seconds in which a client must take its answer.
        linger: seconds that a client which is refused gets to read why.
        body: bytes of body that are kept.
        discarded: bytes that a client which is refused may still send before it is not waited for.
        parser: limits on lines and fields, as gunicorn's parser names them.
        plain: whether every plain head is within those.
    """

    request: float
    idle: float
    write: float
    linger: float
    body: int
    discarded: int
    parser: dict[str, int]
    plain: bool = True


class Timed(Protocol):
    """A connection, or what is about to be one."""

    def check_time(self, now: float) -> None:
        """End what takes too long; called about once a second."""


class Server(Protocol):
    """What a connection asks of the process that it is in."""

    limits: Limits
    responder: Responder
    keeps_alive: bool  # whether a connection stays open for another request
    stopping_since: float  # on the event loop's clock; infinity while it does not
    environ: Environ
    turn: Turn

    connections: set[Timed]
    share: Share

    def join(self, connection: Timed) -> None:
        """Count a connection from now on."""

    def leave(self, connection: Timed) -> None:
        """Count it no longer."""

    doorstep: Doorstep

    def make_room(self) -> bool:
        """Close connections that are idle; whether there were any."""
