"""Who sends a request, as far as that is known."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Scope(StrEnum):
    """What a key is for."""

    PREDICT = "predict"
    ADMIN = "admin"


class Sender(NamedTuple):
    """The far end of a connection.

    Attributes:
        address: of IP; empty for a UNIX socket.
        certificate: the name in its client certificate, if it showed one and that was verified.
    """

    address: str
    certificate: str | None = None


class Shown(NamedTuple):
    """The credentials in the head of a request, as sent.

    Attributes:
        authorization: the header of that name.
        api_key: the header X-API-Key.
    """

    authorization: str | None
    api_key: str | None


LOCAL = Sender("")
NOTHING = Shown(None, None)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who is known.

    Attributes:
        name: of the key; None for anybody, where no key is asked for.
        scopes: what the key is for.
        models: names that it may ask for; None for all.
    """

    name: str | None
    scopes: frozenset[Scope]
    models: frozenset[str] | None = None

    def may(self, scope: Scope, model: str | None = None) -> bool:
        """Whether this key opens that door, and what is behind it of this model."""
        return scope in self.scopes and (self.models is None or not model or model in self.models)


ANYBODY = Caller(None, frozenset(Scope))
