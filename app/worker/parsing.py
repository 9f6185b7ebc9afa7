"""Requests that are not plain, byte by byte through gunicorn's own strict parser, which decides.

So there is one place that refuses requests, and it is not ours, but for the little that it lets
pass.
"""

from gunicorn.asgi.parser import (
    InvalidHeader,
    InvalidHeaderName,
    PythonProtocol,
    UnsupportedTransferCoding,
)

from app.worker.heads import Environ, Head, key_of, request_line


class _Parser(PythonProtocol):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's parser, for which a line is as long as it may be however it arrives.

    By itself it measures the lines of chunks and trailers only while their end is missing, looks
    for a bare LF also beyond the longest line, and takes anything at all for a trailer, such as the
    first line of another request.
    """

    __slots__ = ()

    def _find_line(self, limit: int, error: Exception) -> int:
        if len(self._buffer) > limit + 1 and self._buffer.find(b"\n", 0, limit + 2) < 0:
            raise error
        end: int = super()._find_line(limit, error)
        if end > limit:
            raise error
        if end > 0 and self._chunk_state == "trailer":
            self._check_trailer(bytes(self._buffer[:end]))
        return end

    def _check_trailer(self, line: bytes) -> None:
        name, colon, value = line.partition(b":")
        if not colon:
            raise InvalidHeader("Missing colon in trailer")
        if not self._is_valid_token(name):
            raise InvalidHeaderName(name.decode("latin-1"))
        if self._has_invalid_header_chars(value):
            raise InvalidHeader("Invalid characters in trailer value")


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
        environ = request_line(
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
        key = key_of(name)
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
    expected = environ.get("HTTP_EXPECT", "100-continue").lower()  # a list: each proxy may add one
    if any(each.strip(" \t") != "100-continue" for each in expected.split(",")):
        raise ExpectationFailed
