"""Both ends of a connection, as the WSGI environment has them."""

from typing import Any

from app.http.fast import SENDER
from app.security import Sender
from app.tls import certified
from app.worker.heads import Environ

ENDS = ("sockname", "peername", "peercert")
"""What a transport tells of them, by the names that it has there."""


def ends(here: Any, there: Any, certificate: Any = None) -> Environ:
    """What the environment says of both ends of a connection, as the event loop tells them.

    Args:
        here: address and port that were connected to; a UNIX socket has none.
        there: those of the client.
        certificate: of the client, decoded, if there is one.
    """
    found: Environ = {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "REMOTE_ADDR": ""}
    if isinstance(here, tuple):
        found |= {"SERVER_NAME": here[0], "SERVER_PORT": str(here[1])}
    if isinstance(there, tuple):
        found |= {"REMOTE_ADDR": there[0], "REMOTE_PORT": str(there[1])}
    found[SENDER] = Sender(found["REMOTE_ADDR"], certified(certificate))
    return found
