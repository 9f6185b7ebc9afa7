"""The fast path: plain prediction requests, answered without Flask's request and response.

It wraps the WSGI application. What is not plain goes on to Flask, and both end up in the same
functions of `app.http.outcome`, so that nobody can tell which way a request went. Our worker asks
it without the detour over WSGI.
"""

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from werkzeug.http import HTTP_STATUS_CODES

from app.errors import InvalidInput, OrdinateError
from app.http.hsts import strict_transport
from app.http.outcome import Outcome, answered, failed, predicted, recorded
from app.http.plain import Environ, Plain, plain_request, sender_of, shown_in
from app.http.proxies import FORWARDED
from app.http.refusing import refused
from app.http.routes import Routes
from app.http.service import Service
from app.protocols.native import BRIEF_BYTES, TakesLonger
from app.registry import Lineup
from app.security import FREE, LOCAL, Sender, Ticket
from app.telemetry import request_id

WSGI = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

STATUS_LINES = {code: f"{code} {phrase.upper()}" for code, phrase in HTTP_STATUS_CODES.items()}
"""As Flask writes them; Python's own phrases differ from one version to the next."""

PLAINLY_BRIEF_BYTES = 1 << 18
"""A linear model reads and answers a body of this size in a millisecond or two, if it is right."""

JSON = ("Content-Type", "application/json")
SETTLE = "ordinate.settle"
"""Of a WSGI environment: asked when there is an answer, whether anybody still waits for it."""

STARTED = "ordinate.started"
"""Of a WSGI environment: when the request was here, by `time.perf_counter`, if that was before."""

ALWAYS = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"))
"""Headers of every answer. What a key has opened must not be kept for others by a cache on the way,
and such a cache does not know X-API-Key; what is current may be something else in a moment."""


class Unfinished(Exception):
    """A request takes longer than others may wait.

    Attributes:
        started: when it was here, by `time.perf_counter`.
        request_id: its id, if it has one already.
        ticket: of who was let in, if that was asked.
    """

    def __init__(
        self, started: float, request_id: str | None = None, ticket: Ticket | None = None
    ) -> None:
        super().__init__()
        self.started, self.request_id, self.ticket = started, request_id, ticket


class FastPath:
    """The WSGI application with a short cut.

    Args:
        application: for whatever is not plain.
        served: what the requests are answered with.
        routes: of the application, so that it can be refused early what no key opens.
    """

    def __init__(self, application: WSGI, served: Service, routes: Routes) -> None:
        self._application = application
        self._served, self._routes = served, routes
        self._max_rows = served.config.max_rows
        self._guard = served.guard

    @property
    def served(self) -> Service:
        """What the requests are answered with."""
        return self._served

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        plain, settle = plain_request(environ), environ.get(SETTLE)
        if plain is None or plain.length > self._served.config.max_body_bytes:
            return self._application(environ, start_response)
        self._served.watcher.ensure()
        unfinished = Unfinished(environ.get(STARTED) or time.perf_counter())
        body = _read(environ, plain.length)
        outcome, fresh = self.respond(
            plain, body, None, sender_of(environ), settle, unfinished=unfinished
        )
        length = ("Content-Length", str(len(outcome.body)))
        named = ("X-Request-Id", fresh)
        strict = strict_transport(self._served.config.hsts, environ["wsgi.url_scheme"])
        headers = [JSON, length, *outcome.headers, *outcome.left, named, *ALWAYS, *strict]
        start_response(STATUS_LINES[outcome.status], headers)
        return [outcome.body]

    def respond(  # noqa: PLR0913 - a request, and what is known of it already
        self,
        plain: Plain,
        body: bytes,
        lineup: Lineup | None = None,
        sender: Sender = LOCAL,
        settle: Callable[[], bool] | None = None,
        *,
        briefly: bool = False,
        unfinished: Unfinished | None = None,
    ) -> tuple[Outcome, str]:
        """Answer a plain request, count it and log it.

        Args:
            plain: the request; its length must be within the limit.
            body: what arrived of its body.
            lineup: that is to answer, where it is known already.
            sender: where it comes from.
            settle: asked when there is an answer, whether anybody still waits for it.
            briefly: whether others wait meanwhile.
            unfinished: what is known of it already, as when it was tried before.

        Returns:
            The outcome, whatever it is, and the request's id.

        Raises:
            Unfinished: others wait, and this takes longer. Nothing was counted or logged.
        """
        if unfinished is None:
            started, fresh, ticket = time.perf_counter(), request_id(plain.request_id), None
        else:
            started, ticket = unfinished.started, unfinished.ticket
            fresh = unfinished.request_id or request_id(plain.request_id)
        try:
            if ticket is None:
                ticket = FREE if self._guard.idle else self._admit(plain, sender, lineup)
            outcome = self._outcome(plain, body, lineup, ticket, fresh, briefly)
            if ticket is not FREE:
                ticket.charge(outcome.rows)
        except TakesLonger:
            raise Unfinished(started, fresh, ticket) from None
        except Exception as error:  # noqa: BLE001 - every error is answered
            outcome = failed(self._served, error, fresh)
        if ticket is not None and ticket is not FREE:
            outcome.admitted(ticket)
        recorded(
            self._served,
            outcome,
            request_id=fresh,
            method="POST",
            route=plain.route,
            path=plain.path,
            bytes_in=plain.length,
            started=started,
            settle=settle,
        )
        return outcome, fresh

    def _outcome(
        self,
        plain: Plain,
        body: bytes,
        lineup: Lineup | None,
        ticket: Ticket,
        request_id: str,
        briefly: bool,
    ) -> Outcome:
        if len(body) < plain.length:
            raise InvalidInput("the body ends early, or its chunks are malformed")
        lineup = lineup or self._served.registry.lineup(plain.name or ticket.model)
        if lineup.is_alone:
            return predicted(lineup.model, body, self._max_rows, briefly=briefly)
        return answered(self._served, lineup, request_id, body)

    def _admit(self, plain: Plain, sender: Sender, lineup: Lineup | None) -> Ticket:
        """Let a request in to the model that will answer it. Raises OrdinateError."""
        if lineup is not None:
            name = lineup.model.manifest.name
        else:
            name = plain.name or self._served.registry.default or ""
        sender = self._served.proxies.sender(sender, plain.forwarded)
        return self._guard.admit(plain.shown, sender, plain.route, name)

    def quick(self, plain: Plain) -> Lineup | None:
        """What answers this request, if it does so before others notice that they wait.

        Of a large body that holds for one that is right, and which is not known before.
        """
        if plain.length > PLAINLY_BRIEF_BYTES or not self._guard.is_quick:
            return None
        lineup = self._served.registry.peek(plain.name)
        if lineup is None or not lineup.is_quick:
            return None
        return lineup if lineup.is_alone or plain.length <= BRIEF_BYTES else None

    def early(self, environ: Environ, sender: Sender) -> tuple[Outcome, str] | None:
        """Refuse a request whose body is still to come, if that need not be waited for.

        Returns:
            What to answer, already counted and logged, and the request's id; None for a request
            that is let in so far.
        """
        if self._guard.idle:
            return None
        try:
            sender = self._served.proxies.sender(sender, environ.get(FORWARDED))
            method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
            find = partial(self._routes.find, method, path)
            self._guard.look(shown_in(environ), sender, path, find)
        except OrdinateError as error:
            return refused(self._served, environ, error)
        return None

    def is_brief(self, path: str) -> bool:
        """Whether whatever else is asked at this path is answered as fast."""
        return path == "/healthz"


def _read(environ: Environ, length: int) -> bytes:
    try:
        body: bytes = environ["wsgi.input"].read(length)
    except Exception:  # noqa: BLE001 - each server has its own for a body that ends early
        return b""
    return body
