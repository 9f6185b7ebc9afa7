"""Answers to what is no request: in the form of all other errors, counted and logged as well."""

import ssl
from typing import Any

from gunicorn.asgi import parser

from app.errors import Headers, Overloaded, TooSlow
from app.http.service import EXTENSION
from app.protocols.native import error_body
from app.telemetry import request_id
from app.worker.answers import refusal
from app.worker.parsing import ExpectationFailed

UNPARSED = "(unparsed)"
"""Stands where a route would for requests that could not be read."""


class PlainRequest(Exception):
    """A request came without TLS to where nothing else is spoken."""


_REFUSALS: tuple[tuple[type[Exception], int, str], ...] = (
    (PlainRequest, 400, "TLS is spoken here: use https:// in place of http://"),
    (parser.LimitRequestLine, 414, "the request line is too long"),
    (parser.LimitRequestHeaders, 431, "the headers are too many or too long"),
    (ExpectationFailed, 417, "the Expect header can only ask for 100-continue"),
    (parser.UnsupportedTransferCoding, 501, "the Transfer-Encoding can only be chunked"),
    (parser.InvalidRequestLine, 400, "the request line is not valid HTTP"),
    (parser.InvalidRequestMethod, 400, "the request method is not valid HTTP"),
    (parser.InvalidHTTPVersion, 400, "the HTTP version is not one that is spoken here"),
    (parser.InvalidHeaderName, 400, "the name of a header is not valid HTTP"),
    (parser.InvalidHeader, 400, "a header is not valid HTTP, or contradicts another"),
    (parser.InvalidChunkSize, 400, "the size of a chunk is not valid HTTP"),
    (parser.InvalidChunkExtension, 400, "the extension of a chunk is not valid HTTP"),
    (parser.ChunkMissingTerminator, 400, "a chunk does not end where its size says"),
    (parser.ParseError, 400, "the request is not valid HTTP"),
)


def refuse(
    application: Any,
    error: BaseException,
    remote: str | None,
    strict: Headers = (),
    *,
    keep_alive: bool = False,
) -> bytes:
    """Answer, count and log a request that the application never saw.

    Args:
        application: whose counters and log.
        error: why it is refused.
        remote: address of its sender.
        strict: headers that all answers have.
        keep_alive: whether the connection stays open.
    """
    status, sentence, reason = _status(error)
    retry_after = error.retry_after if isinstance(error, Overloaded) else None
    body = error_body(sentence)
    fresh = request_id()
    service = getattr(application, "extensions", {}).get(EXTENSION)
    if service is not None:  # else it is some other application
        if status == 500:
            service.log.failure("a request failed unexpectedly", error, request_id=fresh)
        else:
            service.metrics.rejected(reason)
        service.metrics.request(UNPARSED, "other", status, 0.0)
        service.log.access(
            request_id=fresh,
            method=None,
            route=UNPARSED,
            path=None,
            status=status,
            seconds=0.0,
            bytes_out=len(body),
            remote=remote,
        )
    return refusal(status, body, fresh, strict, retry_after, keep_alive)


def count_handshake(application: Any, error: ssl.SSLError | Overloaded, remote: str | None) -> None:
    """Count a handshake that failed, or had no room; why it did is told at the level debug.

    Anybody can make it fail, and scanners do so all day long.
    """
    service = getattr(application, "extensions", {}).get(EXTENSION)
    if service is None:
        return
    if isinstance(error, Overloaded):
        service.metrics.rejected("overloaded")
    else:
        service.metrics.rejected("handshake")
        reason = getattr(error, "verify_message", None) or error.reason
        service.log.event("debug", "handshake", reason=reason, remote=remote)


def _status(error: BaseException) -> tuple[int, str, str]:
    """Status, sentence, and the reason by which it is counted."""
    if isinstance(error, Overloaded):
        return error.status, error.message, "overloaded"
    if isinstance(error, TooSlow):
        return error.status, error.message, "too_slow"
    for kind, status, sentence in _REFUSALS:
        if isinstance(error, kind):
            return status, sentence, "malformed"
    return 500, "the service failed on this request; its log says why", "failed"
