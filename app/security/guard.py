"""The guard: lets requests in, or says why not."""

from collections.abc import Callable
from typing import Protocol

from app.config import Config
from app.errors import Forbidden, Headers, Unauthorized
from app.security.callers import ANYBODY, NOTHING, Caller, Scope, Sender, Shown
from app.security.exposure import HOW_TO, is_local


class Keys(Protocol):
    """What knows who may come in."""

    def find(self, shown: Shown, sender: Sender) -> Caller | None:
        """Who shows this; None where it is not right."""


class Left(Protocol):
    """What is left of somebody's quotas."""

    @property
    def headers(self) -> Headers:
        """Of the answer, which tell of it."""

    def charge(self, rows: int) -> None:
        """Take so many rows. Raises TooManyRequests; TooLarge for more than are ever left."""


class Quotas(Protocol):
    """What knows how much is still allowed.

    Attributes:
        is_quick: whether it answers in microseconds, so that the event loop may ask it.
    """

    is_quick: bool

    def request(self, caller: Caller, address: str) -> Left:
        """Take one request. Raises TooManyRequests."""

    def failure(self, address: str) -> None:
        """Take one wrong key, in microseconds whatever `is_quick` is. Raises TooManyRequests."""


class Ticket:
    """What somebody who was let in may do.

    Attributes:
        caller: who.
        model: that was asked for, and is to answer, whatever is the default by then; empty where
            there was none, None where nobody looked.
    """

    __slots__ = ("_left", "caller", "model")

    def __init__(self, caller: Caller, left: Left | None = None, model: str | None = None) -> None:
        self.caller, self._left, self.model = caller, left, model

    @property
    def headers(self) -> Headers:
        """Of the answer, which tell what is left of the quotas."""
        return () if self._left is None else self._left.headers

    def charge(self, rows: int | None) -> None:
        """Take so many rows from what is left.

        Raises:
            TooManyRequests: so many are not left.
            TooLarge: so many are never left.
        """
        if self._left is not None and rows:
            self._left.charge(rows)


Destination = tuple[str | None, str | None]
"""The template that a path matches, None for none; and the model that is asked for: empty for a
default that there is not, None where it is about no model."""

ADMIN_ROUTES = ("/admin/keys", "/admin/settings")

FREE = Ticket(ANYBODY)
"""Where nothing is asked for."""


class Guard:
    """Stands before every door of a service.

    Args:
        keys: that let in; None where no key is asked for.
        quotas: of those who are let in; None for none.
        scopes: route templates with what they ask for: a scope, or None for nothing at all. All
            others ask for any key.
        is_local: whether only this machine is answered.

    Attributes:
        idle: whether there is nothing to ask, of anybody.
    """

    def __init__(
        self,
        keys: Keys | None = None,
        quotas: Quotas | None = None,
        scopes: dict[str, Scope | None] | None = None,
        *,
        is_local: bool = False,
    ) -> None:
        self._keys, self._quotas, self._is_local = keys, quotas, is_local
        self._scopes: dict[str, Scope | None] = dict.fromkeys(("/healthz", "/readyz"))
        self._scopes |= scopes or {}
        self.idle = keys is None and quotas is None and not is_local

    @property
    def is_quick(self) -> bool:
        """Whether it decides in microseconds, so that the event loop may ask it."""
        return self._quotas is None or self._quotas.is_quick

    def trust_listeners(self) -> None:
        """Look at no sender's address: the server has made sure that only this machine can send."""
        self._is_local = False
        self.idle = self._keys is None and self._quotas is None

    def admit(
        self, shown: Shown, sender: Sender, route: str | None, model: str | None = None
    ) -> Ticket:
        """Let a request in.

        Args:
            shown: what it shows.
            sender: where it comes from.
            route: the template that its path matches; None where it matches none.
            model: that it asks for, if it is about one; empty for a default that there is not.

        Raises:
            Unauthorized: it shows nothing that is known.
            Forbidden: what it shows does not open this door.
            TooManyRequests: a quota is used up.
        """
        scope = self._scopes.get(route or "", Scope.PREDICT)
        if scope is None or self.idle:
            return FREE
        return self._let_in(self._identify(shown, sender), sender, scope, model)

    def look(
        self, shown: Shown, sender: Sender, path: str, find: Callable[[], Destination] | None = None
    ) -> None:
        """Look at a request whose body is still to come, which nobody need wait for if this raises.

        One that is let in so far is counted when it is admitted, one that is refused is so here.

        Args:
            shown: what it shows.
            sender: where it comes from.
            path: that it asks for.
            find: tells the route and the model, as for `admit`; None where nobody knows.

        Raises:
            Unauthorized: it shows nothing that is known, and its path asks for it.
            Forbidden: it comes from elsewhere, or what it shows does not open this door.
            TooManyRequests: it has shown such things too often, or a quota is used up.
        """
        if self.idle or self._scopes.get(path.rstrip("/"), Scope.PREDICT) is None:
            return
        caller = self._identify(shown, sender)
        # To count a refusal, others would have to wait for quotas that are not quick.
        if find is None or Scope.ADMIN in caller.scopes or not self.is_quick:
            return
        route, model = find()
        scope = self._scopes.get(route or "", Scope.PREDICT)
        if scope is not None and not _opens(caller, scope, model):
            self._let_in(caller, sender, scope, model)

    def _let_in(self, caller: Caller, sender: Sender, scope: Scope, model: str | None) -> Ticket:
        """Count a request, and refuse it if the key is for something else: that is not free."""
        left = None
        if self._quotas is not None:
            left = self._quotas.request(caller, sender.address)
        if not _opens(caller, scope, model):
            headers = () if left is None else left.headers
            raise Forbidden(_reason(caller, scope), caller.name, headers)
        return Ticket(caller, left, model)

    def _identify(self, shown: Shown, sender: Sender) -> Caller:
        if self._is_local and not is_local(sender.address):
            raise Forbidden(f"this service answers its own machine alone: {HOW_TO}")
        if self._keys is None:
            return ANYBODY
        caller = self._keys.find(shown, sender)
        if caller is not None:
            return caller
        if self._quotas is not None and (shown != NOTHING or sender.certificate is not None):
            self._quotas.failure(sender.address)
        raise Unauthorized


def doors(config: Config) -> dict[str, Scope | None]:
    """What each route asks for that asks for something else than any key, as the settings say."""
    said: dict[str, Scope | None] = {"open": None, "key": Scope.PREDICT, "admin": Scope.ADMIN}
    administering = dict.fromkeys(ADMIN_ROUTES, Scope.ADMIN)
    return {
        "/metrics": said[config.metrics],
        "/openapi.json": said[config.openapi],
        **administering,
    }


def _opens(caller: Caller, scope: Scope, model: str | None) -> bool:
    return caller.may(scope, model) or caller.may(Scope.ADMIN, model)


def _reason(caller: Caller, scope: Scope) -> str:
    if scope in caller.scopes or Scope.ADMIN in caller.scopes:
        return "this key is not for this model"
    return f"this key is not for this address, which asks for the scope {scope.value!r}"
