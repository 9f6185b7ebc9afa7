"""Request heads to WSGI environments: the plain ones at once.

What nearly every client sends is recognised by one regular expression that takes less than the
standard allows: no folded line, no field twice, no transfer coding, no expectation. Whatever it
does not recognise is left to `parsing`.
"""

import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from gunicorn.asgi.parser import InvalidRequestLine
from gunicorn.util import split_request_uri

from app.http.plain import Plain, plain_request

Environ = dict[str, Any]

MAX_PLAIN_HEAD, MAX_PLAIN_FIELDS = 4000, 60
"""Bytes of a plain head, and so of each of its lines at most, and headers in it."""

_PLAIN = re.compile(
    rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) "
    rb"(/(?!/)[!\"$-~]*) HTTP/1\.1\r\n"  # no fragment, and no path that looks like a host
    rb"((?:[!#$%%&'*+.^`|~0-9A-Za-z-]{1,100}:[\t\x20-\x7e\x80-\xff]*\r\n){1,%d})\r\n"
    % MAX_PLAIN_FIELDS
)
_DIGITS = re.compile(rb"[0-9]{1,15}")

_NOT_PLAIN = frozenset(
    ("HTTP_TRANSFER_ENCODING", "HTTP_EXPECT", "HTTP_UPGRADE", "HTTP_TRAILER", "HTTP_TE")
)


def allows_plain(line: int, fields: int, field_size: int) -> bool:
    """Whether every plain head is within these limits of gunicorn, of which 0 is none."""
    least = (line, MAX_PLAIN_HEAD), (fields, MAX_PLAIN_FIELDS), (field_size, MAX_PLAIN_HEAD)
    return all(not limit or limit >= most for limit, most in least)


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
    environ = request_line(found[1].decode("ascii"), found[2].decode("ascii"), "HTTP/1.1")
    for line in found[3].split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        key = key_of(name.decode("ascii"))
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


def request_line(method: str, target: str, protocol: str) -> Environ:
    """What a first line says of the environment. Raises InvalidRequestLine."""
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


def key_of(name: str) -> str:
    """Where an environment has a header of this name."""
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
