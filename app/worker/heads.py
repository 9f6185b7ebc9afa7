"""Request heads to WSGI environments: the plain ones at once, all others by gunicorn's parser.

What nearly every client sends is recognised by one regular expression that takes less than the
standard allows: no folded line, no field twice, no transfer coding, no expectation. Whatever it
does not recognise is given byte by byte to gunicorn's own strict parser, which decides. So there is
one place that refuses requests, and it is not ours.
"""

import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from gunicorn.asgi.parser import (
    InvalidHeader,
    InvalidRequestLine,
    PythonProtocol,
    UnsupportedTransferCoding,
)
from gunicorn.util import split_request_uri

from app.http.plain import Plain, plain_request

Environ = dict[str, Any]

MAX_PLAIN_HEAD = 4000
"""Bytes; a head of this size is within every limit on lines and fields."""

_PLAIN = re.compile(
    rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) "
    rb"(/(?!/)[!\"$-~]*) HTTP/1\.1\r\n"  # no fragment, and no path that looks like a host
    rb"((?:[!#$%&'*+.^`|~0-9A-Za-z-]{1,100}:[\t\x20-\x7e\x80-\xff]*\r\n){1,60})\r\n"
)
_DIGITS = re.compile(rb"[0-9]{1,15}")

_NOT_PLAIN = frozenset(
    ("HTTP_TRANSFER_ENCODING", "HTTP_EXPECT", "HTTP_UPGRADE", "HTTP_TRAILER", "HTTP_TE")
)


def common(scheme: str) -> Environ:
    """What is the same for all requests of a worker; the scheme is `http` or `https`."""
    return {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "SERVER_SOFTWARE": "ordinate",
    }


@dataclass(frozen=True, slots=True)
class Head:
    """A request as far as its head tells.

    Attributes:
        environ: what it says of its WSGI environment; never to be changed.
        length: bytes of body that follow; None where they are chunked.
        keep_alive: whether the client means to send more requests.
        plain: what it asks for, if that is a plain prediction.
    """

    environ: Environ
    length: int | None
    keep_alive: bool
    plain: Plain | None = None


@lru_cache(maxsize=512)
def recognise(head: bytes) -> Head | None:
    """Read a plain head, its empty line included; None for any that is not.

    Clients repeat themselves, so the last ones are remembered: of MAX_PLAIN_HEAD bytes at most, to
    which the caller holds them, they take 2 MB.
    """
    found = _PLAIN.fullmatch(head)
    if found is None:
        return None
    environ = _request_line(found[1].decode("ascii"), found[2].decode("ascii"), "HTTP/1.1")
    for line in found[3].split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        key = _key(name.decode("ascii"))
        if key in environ or key in _NOT_PLAIN:
            return None
        environ[key] = value.strip(b" \t").decode("latin-1")
    return _plain_head(environ)


def _plain_head(environ: Environ) -> Head | None:
    length = environ.get("CONTENT_LENGTH", "0")
    connection = environ.get("HTTP_CONNECTION", "keep-alive").lower()
    if not _DIGITS.fullmatch(length.encode("latin-1")) or "HTTP_HOST" not in environ:
        return None
    if connection not in ("keep-alive", "close"):
        return None
    return Head(environ, int(length), connection == "keep-alive", plain_request(environ))


def _request_line(method: str, target: str, protocol: str) -> Environ:
    if target.startswith("/") and not target.startswith("//"):
        path, _, query = target.partition("#")[0].partition("?")
    else:  # http://host/path, or a path that urlsplit must not take for a host
        try:
            parts = split_request_uri(target)
        except ValueError as error:  # a bracket that is not closed, or holds no address
            raise InvalidRequestLine(target) from error
        path, query = parts.path, parts.query
    if "%" in path:
        path = unquote_to_bytes(path).decode("latin-1")
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "RAW_URI": target,
        "SERVER_PROTOCOL": protocol,
    }


def _key(name: str) -> str:
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


class _Parser(PythonProtocol):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's parser, for which a line is as long as it may be however it arrives.

    By itself it measures the lines of chunks and trailers only while their end is missing.
    """

    __slots__ = ()

    def _find_line(self, limit: int, error: Exception) -> int:
        end: int = super()._find_line(limit, error)
        if end > limit:
            raise error
        return end


class Parse:
    """One request in the hands of gunicorn's parser.

    Args:
        limits: keyword arguments of its limits on lines and fields.
        max_body: how many bytes of body are kept; of a longer one, one more than that.

    Attributes:
        head: once it is complete.
        body: what has arrived of it.
        complete: whether all of the request has arrived.
        overlong: whether the body has more bytes than are kept, or says that it will have.
    """

    def __init__(self, limits: dict[str, int], max_body: int) -> None:
        self._parser = _Parser(on_headers_complete=self._on_head, on_body=self._on_body, **limits)
        self._max_body = max_body
        self.head: Head | None = None
        self._seen = False
        self.body = bytearray()
        self.overlong = False
        self._held = 0  # what the parser may have without the body

    @property
    def complete(self) -> bool:
        """Whether the request can be answered: it is all here, or it is too long anyway."""
        return bool(self._parser.is_complete) or self.overlong

    def new_head(self) -> Head | None:
        """The head, the first time that this is asked with the head being here."""
        if self._seen or self.head is None:
            return None
        self._seen = True
        return self.head

    def feed(self, data: bytes) -> None:
        """Take what has arrived. Raises gunicorn's ParseError, or what it stands for."""
        self._held = len(data) if self.head else self._held + len(data)
        try:
            self._parser.feed(data)
        except _Enough:
            return
        except ValueError as error:  # a length of more digits than Python makes a number of
            raise InvalidHeader("CONTENT-LENGTH") from error

    @property
    def held(self) -> int:
        """Bytes of it that are in memory, about."""
        return self._held + len(self.body)

    def rest(self) -> bytes:
        """What arrived behind the end of this request."""
        rest: bytes = self._parser.remaining()
        return rest

    def _on_head(self) -> bool:
        parser = self._parser
        version = ".".join(map(str, parser.http_version))
        environ = _request_line(
            parser.method.decode("ascii"), parser.path.decode("ascii"), f"HTTP/{version}"
        )
        for name, value in parser.headers:
            self._add(environ, name.decode("ascii"), value.decode("latin-1"))
        _check(environ)
        self.head = Head(environ, parser.content_length, parser.should_keep_alive)
        if parser.content_length is None:
            self.head = Head(environ, None if parser.is_chunked else 0, parser.should_keep_alive)
        self.overlong = (parser.content_length or 0) > self._max_body
        return self.overlong

    def _add(self, environ: Environ, name: str, value: str) -> None:
        if "_" in name:  # as gunicorn's header_map = "drop": X_Model must not pass for X-Model
            return
        key = _key(name)
        environ[key] = f"{environ[key]},{value}" if key in environ else value

    def _on_body(self, piece: bytes) -> None:
        room = self._max_body + 1 - len(self.body)
        self.body += piece[:room]
        if len(self.body) > self._max_body:
            self.overlong = True
            raise _Enough


class _Enough(Exception):
    """The body is longer than what is kept: the rest of it is not looked at, wrong or not."""


class ExpectationFailed(Exception):
    """The Expect header asks for something that is not offered."""


def _check(environ: Environ) -> None:
    """Refuse what gunicorn's parser lets pass. Raises its errors, or ExpectationFailed."""
    if environ["SERVER_PROTOCOL"] == "HTTP/1.1" and "HTTP_HOST" not in environ:
        raise InvalidHeader("HOST")
    if environ.get("HTTP_TRANSFER_ENCODING", "chunked").lower() != "chunked":
        raise UnsupportedTransferCoding("TRANSFER-ENCODING")  # it would be left undecoded
    if environ.get("HTTP_EXPECT", "100-continue").lower() != "100-continue":
        raise ExpectationFailed
