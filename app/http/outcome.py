"""What became of a request, before it is a Flask response or the fast path's bytes.

Both doors go through these functions, so a prediction, an error, a count and a log line are made in
one place each.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.exceptions import HTTPException

from app.errors import (
    DeadlinePassed,
    Forbidden,
    Headers,
    NotAcceptable,
    NotReady,
    OrdinateError,
    Overloaded,
    RequestError,
    TooLarge,
    TooManyRequests,
    TooSlow,
    Unauthorized,
    UnsupportedMedia,
)
from app.http.service import Service
from app.model import Model
from app.protocols import native
from app.registry import Lineup
from app.security import Ticket
from app.telemetry.families import CANARY

LATE = "this request was worked on beyond its deadline, when it was answered with 503"

_SENTENCES = {
    400: "the request could not be read",
    404: "there is nothing at this address; GET / lists what there is",
    405: "this address does not take this method; the Allow header names those it takes",
    417: "this expectation cannot be met",
}

_REASONS = {
    TooLarge: "too_large",
    UnsupportedMedia: "media_type",
    NotAcceptable: "not_acceptable",
    NotReady: "not_ready",
    Overloaded: "overloaded",
    DeadlinePassed: "deadline",
    Unauthorized: "unauthorized",
    Forbidden: "forbidden",
    TooManyRequests: "quota",
    TooSlow: "too_slow",
}


@dataclass(slots=True)
class Outcome:
    """A status, a body in JSON, and what the log says of them.

    Attributes:
        status: of HTTP.
        body: JSON in UTF-8.
        headers: beside those that every answer has; the same ones for many answers.
        model: that predicted.
        rows: how many it predicted.
        left: headers that tell what is left of the caller's quotas, new ones each time.
        key: name of the key that let the request in.
        request: body that was predicted from.
    """

    status: int
    body: bytes
    headers: Headers = ()
    model: Model | None = None
    rows: int | None = None
    left: Headers = ()
    key: str | None = None
    request: bytes = b""

    def admitted(self, ticket: Ticket) -> None:
        """Tell who was let in, and what is left of the quotas."""
        self.left, self.key = ticket.headers, ticket.caller.name


def predicted(model: Model, body: bytes, max_rows: int, *, briefly: bool = False) -> Outcome:
    """Answer a prediction request in the native dialect.

    Raises OrdinateError; where others wait meanwhile, TakesLonger for what is to be done elsewhere.
    """
    answer, rows = native.answer(model, body, max_rows, briefly=briefly)
    return Outcome(200, answer, model.headers, model, rows, request=body)


def answered(served: Service, lineup: Lineup, request_id: str, body: bytes) -> Outcome:
    """The same for a request that names no version, by whichever version it falls to.

    Raises OrdinateError.
    """
    model = lineup.for_request(request_id)
    if model is not lineup.model:
        served.metrics.count(CANARY, model.manifest.name)
    outcome = predicted(model, body, served.config.max_rows)
    if lineup.shadow is not None:
        served.shadow.compare(lineup.shadow, body, outcome.body)
    return outcome


def failed(served: Service, error: Exception, request_id: str | None) -> Outcome:
    """Answer an error: ours, one of HTTP, or one that nobody thought of, told with this id."""
    if isinstance(error, OrdinateError):
        return _ours(served, error)
    if isinstance(error, HTTPException):
        return _of_http(error)
    # Logged in full for the operator, told to the client as one sentence.
    served.log.failure("a request failed unexpectedly", error, request_id=request_id)
    body = native.error_body("the service failed on this request; its log says why")
    return Outcome(500, body)


def recorded(  # noqa: PLR0913 - what a log line says of a request
    served: Service,
    outcome: Outcome,
    *,
    request_id: str,
    method: str,
    route: str,
    path: str,
    bytes_in: int | None,
    started: float,
    settle: Callable[[], bool] | None = None,
) -> None:
    """Count a request that was answered, write its line of the log, and keep what was predicted.

    Args:
        served: whose counters and log.
        outcome: of the request.
        request_id: its id.
        method, path: as sent.
        route: the template that matched.
        bytes_in: length of its body, if declared.
        started: when it was here, by `time.perf_counter`.
        settle: asked whether anybody still waits for the answer; where nobody does, the request was
            answered, counted and logged at its deadline, and that it went on is an event.
    """
    seconds = time.perf_counter() - started
    if settle is not None and not settle():
        served.log.event("warning", "late", request_id=request_id, route=route, reason=LATE)
        return
    model, rows = outcome.model, outcome.rows
    if model is None or rows is None:
        served.metrics.request(route, method, outcome.status, seconds)
    else:
        served.metrics.prediction(route, seconds, model.manifest.name, rows)
        if served.journal is not None:
            key, asked = outcome.key, outcome.request
            served.journal.record(request_id, model.label, key, asked, outcome.body)
    served.log.access(
        request_id=request_id,
        method=method,
        route=route,
        path=path,
        status=outcome.status,
        seconds=seconds,
        bytes_in=bytes_in,
        bytes_out=0 if method == "HEAD" else len(outcome.body),
        rows=rows,
        model=None if model is None else model.label,
        key=outcome.key,
    )


def _ours(served: Service, error: OrdinateError) -> Outcome:
    if isinstance(error, RequestError | NotReady | Overloaded):
        served.metrics.rejected(_REASONS.get(type(error), "invalid_input"))
    wait = error.retry_after
    headers = () if wait is None else (("Retry-After", str(wait)),)
    key = error.key if isinstance(error, Forbidden) else None
    return Outcome(error.status, native.encode_error(error), headers + error.headers, key=key)


def _of_http(error: HTTPException) -> Outcome:
    status = error.code or 500
    sentence = _SENTENCES.get(status) or error.name.lower()
    allowed = getattr(error, "valid_methods", None) if status == 405 else None
    headers = (("Allow", ", ".join(sorted(allowed))),) if allowed else ()
    return Outcome(status, native.error_body(sentence), headers)
