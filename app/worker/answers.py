"""Answers: the WSGI application called, and what it says made into bytes."""

import io
import time
from collections.abc import Callable, Iterable, Sequence
from email.utils import formatdate
from typing import Any

from app.errors import Headers
from app.http.fast import ALWAYS, JSON, STATUS_LINES
from app.http.outcome import Outcome
from app.worker.heads import Environ, Head

Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_HEAD_END = b"\r\n\r\n"
_LENGTH = "content-length"
_KEPT_HEADS = 64

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Dates:
    """The Date header, made anew once a second. Threads share it."""

    def __init__(self) -> None:
        self._made = (0, "")  # one object, so that nobody sees a second without its line

    def line(self) -> str:
        """The header with its line end."""
        second = int(time.time())
        made, line = self._made
        if made != second:
            line = f"Date: {formatdate(second, usegmt=True)}\r\n"
            self._made = (second, line)
        return line


_dates = Dates()


class UnsafeAnswer(Exception):
    """A header of an answer holds a line end, or its body has no length."""


def answer(application: Application, environ: Environ, body: bytes, keep_alive: bool) -> bytes:
    """Call the application and write its answer.

    Args:
        application: to call.
        environ: of the request, without its body.
        body: of the request.
        keep_alive: whether the connection stays open.

    Returns:
        The whole answer, head and body.

    Raises:
        UnsafeAnswer: the answer could be mistaken for two.
        Exception: whatever the application raises.
    """
    environ["wsgi.input"] = io.BytesIO(body)
    said: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        said[:] = status, headers

    content = application(environ, start_response)
    try:
        pieces = content if isinstance(content, list) else list(content)
    finally:
        if hasattr(content, "close"):
            content.close()
    whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    return _head(said[0], said[1], len(whole), keep_alive) + (
        b"" if environ["REQUEST_METHOD"] == "HEAD" else whole
    )


def fitted(head: Head, answer: bytes) -> bytes:
    """A whole answer as its request asks for it: by HEAD without its body, whose length stays.

    Behind an answer to HEAD its client takes whatever comes for the next one.
    """
    if head.environ["REQUEST_METHOD"] != "HEAD":
        return answer
    return answer[: answer.index(_HEAD_END) + len(_HEAD_END)]


def _head(
    status: str, headers: Sequence[tuple[str, str]], length: int | None, keep_alive: bool
) -> bytes:
    """A head with its empty line; without a length where that is still to be added."""
    lines = [f"HTTP/1.1 {status}\r\nServer: ordinate\r\n{_dates.line()}"]
    measured = length is None
    for name, value in headers:
        lines.append(f"{name}: {value}\r\n")
        if len(name) == len(_LENGTH) and name.lower() == _LENGTH:
            measured = True
    if not measured:
        lines.append(f"Content-Length: {length}\r\n")
    lines.append("Connection: keep-alive\r\n\r\n" if keep_alive else "Connection: close\r\n\r\n")
    text = "".join(lines)
    if text.count("\n") != len(lines) + 3 or text.count("\r") != len(lines) + 3:
        raise UnsafeAnswer(status)
    return text.encode("latin-1")


class Heads:
    """Answers to plain predictions; what all of a kind begin with is made anew once a second.

    Threads share it.

    Args:
        strict: headers that all of them have.
    """

    def __init__(self, strict: Headers = ()) -> None:
        self._strict = strict
        self._made: tuple[int, dict[Any, str]] = (0, {})  # in that second

    def answer(self, outcome: Outcome, request_id: str, keep_alive: bool) -> bytes:
        """The whole answer, head and body."""
        second = int(time.time())
        made, kept = self._made
        if made != second or len(kept) > _KEPT_HEADS:
            kept = {}
            self._made = (second, kept)
        kind = (outcome.status, outcome.headers, keep_alive)
        begin = kept.get(kind)
        if begin is None:
            begin = kept[kind] = _begin(outcome, self._strict, keep_alive)
        body = outcome.body
        head = f"{begin}{len(body)}\r\nX-Request-Id: {request_id}\r\n"
        for name, value in outcome.left:
            head += f"{name}: {value}\r\n"
        return f"{head}\r\n".encode("latin-1") + body


def _begin(outcome: Outcome, strict: Headers, keep_alive: bool) -> str:
    """A head up to its last headers, the length and the id of the request."""
    headers = [JSON, *ALWAYS, *strict, *outcome.headers]
    head = _head(STATUS_LINES[outcome.status], headers, None, keep_alive)
    return head.decode("latin-1").removesuffix("\r\n") + "Content-Length: "


def refusal(
    status: int,
    body: bytes,
    request_id: str,
    strict: Headers = (),
    retry_after: int | None = None,
    keep_alive: bool = False,
) -> bytes:
    """An answer in JSON that needs no application."""
    headers = [
        JSON,
        ("X-Request-Id", request_id),
        *ALWAYS,
        *strict,
    ]
    if retry_after is not None:
        headers.append(("Retry-After", str(retry_after)))
    return _head(STATUS_LINES[status], headers, len(body), keep_alive) + body
