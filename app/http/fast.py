"""The fast path: plain prediction requests, answered without Flask's request and response.

It wraps the WSGI application and takes only what needs no interpretation: a POST to a current
model, JSON, a declared length within the limit. All else goes on to Flask, and both end up in the
same functions of `app.http.outcome`, so that nobody can tell which way a request went. Our worker
asks it without the detour over WSGI.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from werkzeug.http import HTTP_STATUS_CODES

from app.errors import InvalidInput, OrdinateError
from app.http.hsts import strict_transport
from app.http.outcome import Outcome, answered, failed, predicted, recorded
from app.http.proxies import FORWARDED
from app.http.refusing import refused
from app.http.service import Service
from app.registry import Lineup
from app.security import FREE, LOCAL, NOTHING, Sender, Shown, Ticket
from app.store import is_name
from app.telemetry import request_id
from app.tls import certified

Environ = dict[str, Any]
WSGI = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_DEFAULT = "/predict"
_BEGIN, _END = "/models/", "/predict"
_NAMED = "/models/<name>/predict"
_ACCEPTED = frozenset((None, "*/*", "application/json", "application/json, */*;q=0.5"))

STATUS_LINES = {code: f"{code} {phrase.upper()}" for code, phrase in HTTP_STATUS_CODES.items()}
"""As Flask writes them; Python's own phrases differ from one version to the next."""

BRIEF_BYTES = 1 << 18
"""A linear model reads and answers a body of this size in about a millisecond, in pure Python."""

JSON = ("Content-Type", "application/json")
SENDER = "ordinate.sender"
"""Of a WSGI environment: the far end of the connection, with its client certificate."""

SETTLE = "ordinate.settle"
"""Of a WSGI environment: asked when there is an answer, whether anybody still waits for it."""

NOSNIFF = ("X-Content-Type-Options", "nosniff")


@dataclass(frozen=True, slots=True)
class Plain:
    """A plain prediction request, as far as its head tells.

    Attributes:
        name: of the model; None for the default one.
        route: the template that its path matches.
        path: as sent.
        length: of its body, in bytes.
        request_id: what the caller calls it, sane or not, if anything.
        shown: the credentials in its head.
        forwarded: where proxies say that it comes from.
    """

    name: str | None
    route: str
    path: str
    length: int
    request_id: str | None
    shown: Shown = NOTHING
    forwarded: str | None = None


def plain_request(environ: Environ) -> Plain | None:
    """What a WSGI environment asks for, None where there is more to it."""
    if (
        environ["REQUEST_METHOD"] != "POST"
        or environ.get("CONTENT_TYPE") != "application/json"
        or environ.get("HTTP_ACCEPT") not in _ACCEPTED
        or "HTTP_CONTENT_ENCODING" in environ
        or "%" in (environ.get("RAW_URI") or environ.get("REQUEST_URI", ""))
    ):
        return None
    path, text = environ["PATH_INFO"], environ.get("CONTENT_LENGTH", "")
    name = None if path == _DEFAULT else _model_name(path)
    if (name is None and path != _DEFAULT) or not _is_length(text):
        return None
    route = _DEFAULT if name is None else _NAMED
    caller_id = environ.get("HTTP_X_REQUEST_ID")
    forwarded = environ.get(FORWARDED)
    return Plain(name, route, path, int(text), caller_id, shown_in(environ), forwarded)


def shown_in(environ: Environ) -> Shown:
    """The credentials in the head of a request."""
    return Shown(environ.get("HTTP_AUTHORIZATION"), environ.get("HTTP_X_API_KEY"))


def sender_of(environ: Environ) -> Sender:
    """Where a request comes from: our worker says it by itself, any server gives an address.

    gunicorn's other workers give the socket, which has the client's certificate.
    """
    found: Sender | None = environ.get(SENDER)
    if found is not None:
        return found
    decoded = getattr(environ.get("gunicorn.socket"), "getpeercert", None)
    return Sender(environ.get("REMOTE_ADDR", ""), certified(decoded() if decoded else None))


class FastPath:
    """The WSGI application with a short cut.

    Args:
        application: for whatever is not plain.
        served: what the requests are answered with.
    """

    def __init__(self, application: WSGI, served: Service) -> None:
        self._application = application
        self._served = served
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
        body = _read(environ, plain.length)
        outcome, fresh = self.respond(plain, body, sender=sender_of(environ), settle=settle)
        length = ("Content-Length", str(len(outcome.body)))
        named = ("X-Request-Id", fresh)
        strict = strict_transport(self._served.config.hsts, environ["wsgi.url_scheme"])
        headers = [JSON, length, *outcome.headers, *outcome.left, named, NOSNIFF, *strict]
        start_response(STATUS_LINES[outcome.status], headers)
        return [outcome.body]

    def respond(
        self,
        plain: Plain,
        body: bytes,
        lineup: Lineup | None = None,
        sender: Sender = LOCAL,
        settle: Callable[[], bool] | None = None,
    ) -> tuple[Outcome, str]:
        """Answer a plain request, count it and log it.

        Args:
            plain: the request; its length must be within the limit.
            body: what arrived of its body.
            lineup: that is to answer, where it is known already.
            sender: where it comes from.
            settle: asked when there is an answer, whether anybody still waits for it.

        Returns:
            The outcome, whatever it is, and the request's id.
        """
        started = time.perf_counter()
        fresh = request_id(plain.request_id)
        ticket = FREE
        try:
            if not self._guard.idle:
                ticket = self._admit(plain, sender)
            if len(body) < plain.length:
                raise InvalidInput("the body ends early, or its chunks are malformed")
            lineup = lineup or self._served.registry.lineup(plain.name)
            if lineup.is_alone:
                outcome = predicted(lineup.model, body, self._max_rows)
            else:
                outcome = answered(self._served, lineup, fresh, body)
            if ticket is not FREE:
                ticket.charge(outcome.rows)
        except Exception as error:  # noqa: BLE001 - every error is answered
            outcome = failed(self._served, error)
        if ticket is not FREE:
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

    def _admit(self, plain: Plain, sender: Sender) -> Ticket:
        """Let a request in. Raises OrdinateError."""
        name = plain.name or self._served.registry.default
        sender = self._served.proxies.sender(sender, plain.forwarded)
        return self._guard.admit(plain.shown, sender, plain.route, name)

    def quick(self, plain: Plain) -> Lineup | None:
        """What answers this request, if it does so before others notice that they wait."""
        if plain.length > BRIEF_BYTES or not self._guard.is_quick:
            return None
        lineup = self._served.registry.peek(plain.name)
        return lineup if lineup is not None and lineup.is_quick else None

    def early(self, environ: Environ, sender: Sender) -> tuple[Outcome, str] | None:
        """Refuse a request whose body is still to come, if that need not be waited for.

        Returns:
            What to answer, already counted and logged, and the request's id; None for a request
            that is let in so far.
        """
        try:
            sender = self._served.proxies.sender(sender, environ.get(FORWARDED))
            self._guard.look(shown_in(environ), sender, environ["PATH_INFO"])
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


def _model_name(path: str) -> str | None:
    """The name in /models/NAME/predict; None where the path is another, or no name."""
    if not (path.startswith(_BEGIN) and path.endswith(_END)):
        return None
    name = path[len(_BEGIN) : -len(_END)]
    return name if is_name(name) else None


def _is_length(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16
