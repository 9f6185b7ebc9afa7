"""The gunicorn worker class: threads, with refusals in the form of all other errors.

What gunicorn's parser refuses never reaches the application, and by itself gunicorn answers it in
HTML that repeats what was sent, and logs that too, secrets included. Here it gets the same JSON,
log line and count as any other request.
"""

import socket
import time
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from gunicorn.http import errors
from gunicorn.util import http_date
from gunicorn.workers.gthread import ThreadWorker

from app.protocols.native import error_body
from app.telemetry import request_id

UNPARSED = "(unparsed)"
"""Stands where a route would for requests that could not be read."""

DRAIN_SECONDS = 5.0
"""How long the unread rest of a body may take before the connection is closed instead."""

LINGER_SECONDS = 1.0
"""How long a client may take to close after the last answer on its connection."""

_REFUSALS: tuple[tuple[type[Exception], int, str], ...] = (
    (errors.LimitRequestLine, 414, "the request line is too long"),
    (errors.LimitRequestHeaders, 431, "the headers are too many or too long"),
    (errors.ExpectationFailed, 417, "the Expect header can only ask for 100-continue"),
    (errors.UnsupportedTransferCoding, 501, "the Transfer-Encoding can only be chunked"),
    (errors.InvalidRequestLine, 400, "the request line is not valid HTTP"),
    (errors.InvalidRequestMethod, 400, "the request method is not valid HTTP"),
    (errors.InvalidHTTPVersion, 400, "the HTTP version is not one that is spoken here"),
    (errors.InvalidHeaderName, 400, "the name of a header is not valid HTTP"),
    (errors.InvalidHeader, 400, "a header is not valid HTTP, or contradicts another"),
    (errors.ObsoleteFolding, 400, "a header is folded over several lines"),
    (errors.InvalidChunkSize, 400, "the size of a chunk is not valid HTTP"),
    (errors.InvalidChunkExtension, 400, "the extension of a chunk is not valid HTTP"),
    (errors.ChunkMissingTerminator, 400, "a chunk does not end where its size says"),
    (errors.ParseException, 400, "the request is not valid HTTP"),
)
# These are of the classes above, but what they blame is the application's answer.
_OURS = (
    errors.InvalidResponseHeader,
    errors.InvalidResponseHeaderName,
    errors.ConfigurationProblem,
)


def refusal(error: Exception) -> tuple[int, str]:
    """Choose the status and the sentence that answer an error of gunicorn's parser."""
    if not isinstance(error, _OURS):
        for kind, status, sentence in _REFUSALS:
            if isinstance(error, kind):
                return status, sentence
    return 500, "the service failed on this request; its log says why"


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A process with a pool of threads, each of which reads and answers one request at a time."""

    def handle(self, conn: Any) -> Any:
        """Read and answer one request; True keeps the connection, False closes it."""
        outcome = super().handle(conn)
        if outcome is False:
            _hang_up(conn.sock)
        return outcome

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Refuse what gunicorn's parser lets pass, then have the application answer."""
        _check(req)
        return super().handle_request(req, conn) and _drained(conn)

    def handle_error(self, _req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer, count and log a request that failed outside of the application."""
        status, sentence = refusal(exc)
        body = error_body(sentence)
        fresh = request_id()
        self._record(exc, status, fresh, len(body), addr[0] if addr else None)
        try:
            client.sendall(_head(status, fresh, len(body)) + body)
        except OSError:
            self.log.debug("A client left before it was refused.")

    def _record(
        self, error: Exception, status: int, fresh: str, size: int, remote: str | None
    ) -> None:
        service = getattr(self.wsgi, "extensions", {}).get("ordinate")
        if service is None:  # some other application
            return
        if status == 500:
            tell = service.log.exception
            tell("a request failed unexpectedly", error, request_id=fresh)
        service.metrics.rejected("malformed")
        service.metrics.request(UNPARSED, "other", status, 0.0)
        service.log.access(
            request_id=fresh,
            method=None,
            route=UNPARSED,
            path=None,
            status=status,
            seconds=0.0,
            bytes_out=size,
            remote=remote,
        )


def _check(req: Any) -> None:
    headers = dict(req.headers)
    if req.version >= (1, 1) and "HOST" not in headers:
        raise errors.InvalidHeader("HOST", req=req)
    if headers.get("TRANSFER-ENCODING", "chunked").lower() != "chunked":
        raise errors.UnsupportedTransferCoding("TRANSFER-ENCODING")  # it would be left undecoded


def _drained(conn: Any) -> bool:
    """Read what the application left of the body; once there is an answer, no other may follow."""
    try:
        return bool(conn.parser.finish_body(deadline=time.monotonic() + DRAIN_SECONDS))
    except errors.ParseException:
        return False


def _hang_up(connection: socket.socket) -> None:
    """Let a client read its answer before the connection goes.

    gunicorn would wait for that in the loop that serves everybody; this runs in the client's own
    thread, and leaves nothing to wait for.
    """
    deadline = time.monotonic() + LINGER_SECONDS
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        while (rest := deadline - time.monotonic()) > 0:
            connection.settimeout(rest)
            if not connection.recv(65536):
                break
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _head(status: int, fresh: str, length: int) -> bytes:
    lines = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"Date: {http_date()}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {length}",
        f"X-Request-Id: {fresh}",
        "X-Content-Type-Options: nosniff",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii")
