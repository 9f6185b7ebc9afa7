"""Both ends of a connection."""

from collections.abc import Callable
from typing import Any

from app.http.plain import SENDER
from app.security import Sender
from app.tls import certified
from app.worker.heads import Environ


class Ends:
    """What is known of both ends of a connection, as far as it is asked for.

    Most requests need no more than who sent them.

    Args:
        common: what the WSGI environment says of all requests.
        here: asked for the address and port that were connected to; a UNIX socket has none.
        there: address and port of the client.
        certificate: of the client, decoded, if there is one.

    Attributes:
        sender: who sends the requests.
    """

    __slots__ = ("_common", "_here", "_there", "sender")

    def __init__(
        self,
        common: Environ,
        here: Callable[[], Any],
        there: Any,
        certificate: Any = None,
    ) -> None:
        self._common, self._here, self._there = common, here, there
        address = there[0] if isinstance(there, tuple) else ""
        self.sender = Sender(address, certified(certificate))

    def environ(self) -> Environ:
        """What the WSGI environment says of the connection and of all requests; new each time."""
        found = self._common | {"SERVER_NAME": "localhost", "SERVER_PORT": "80"}
        try:
            here = self._here()
        except OSError:  # the client is gone, and its socket closed
            here = None
        if isinstance(here, tuple):
            found |= {"SERVER_NAME": here[0], "SERVER_PORT": str(here[1])}
        found |= {"REMOTE_ADDR": self.sender.address, SENDER: self.sender}
        if isinstance(self._there, tuple):
            found["REMOTE_PORT"] = str(self._there[1])
        return found
