"""The bytes of a connection, cut into requests."""

from typing import NamedTuple

from app.worker.heads import MAX_PLAIN_HEAD, Head, recognise
from app.worker.parsing import Parse

HEAD_END = b"\r\n\r\n"

PIECE = 1 << 14
"""Bytes that the strict parser is given at a time: as chunks of one byte each they take it some
milliseconds, and others shall not wait longer."""


class Request(NamedTuple):
    """A request that is all here, or as much of it as is kept.

    Attributes:
        head: of the request.
        body: of the request.
        overlong: whether its body has more bytes than are kept.
    """

    head: Head
    body: bytes
    overlong: bool = False


class Cutter:
    """Takes what arrives on a connection and gives whole requests.

    Args:
        max_body: bytes of a body that are kept.
        limits: on lines and fields, as gunicorn's parser names them.
    """

    __slots__ = (
        "_buffer",
        "_gathered",
        "_gathering",
        "_limits",
        "_max_body",
        "_new_head",
        "_parse",
    )

    def __init__(self, max_body: int, limits: dict[str, int]) -> None:
        self._max_body, self._limits = max_body, limits
        self._buffer = b""
        self._gathering: _Gathering | None = None  # a plain request without all of its body
        self._parse: Parse | None = None  # any other that is not all here
        self._gathered: Request | None = None  # with all of it, and not asked for yet
        self._new_head: Head | None = None

    @property
    def begun(self) -> bool:
        """Whether a request has begun to arrive."""
        return bool(
            self._buffer or self._gathering or self._parse is not None or self._gathered is not None
        )

    @property
    def waiting(self) -> int:
        """How many bytes were not looked at yet."""
        return len(self._buffer)

    @property
    def held(self) -> int:
        """How many bytes of requests that were not given yet are in memory, about."""
        gathering = self._gathering.held if self._gathering else 0
        gathered = len(self._gathered.body) if self._gathered is not None else 0
        parsed = self._parse.held if self._parse is not None else 0
        return len(self._buffer) + gathering + gathered + parsed

    def whole(self, arrived: bytes) -> Request | None:
        """What has arrived, if it is a plain request and nothing else; then it is not to be added.

        None where another has begun, or a request was not asked for yet.
        """
        if self._buffer or self._gathering or self._parse is not None or self._gathered:
            return None
        end = arrived.find(HEAD_END) + 4
        if not 4 <= end <= MAX_PLAIN_HEAD:
            return None
        head = recognise(arrived[:end])
        if head is None or head.length != len(arrived) - end or head.length > self._max_body:
            return None
        return Request(head, arrived[end:])

    def add(self, data: bytes) -> None:
        """Take what has arrived."""
        gathering = self._gathering
        if gathering is None:
            self._buffer = self._buffer + data if self._buffer else data
            return
        rest = gathering.take(data)
        if rest is not None:
            self._gathered = Request(gathering.head, gathering.body())
            self._gathering, self._buffer = None, rest

    def next(self) -> Request | None:
        """Give the next request, None while it is not all here or was not all looked at.

        In the latter case some bytes are still `waiting`.

        Raises:
            Exception: of gunicorn's parser, or what it stands for: this will be no request.
        """
        if self._gathered is not None:
            found, self._gathered = self._gathered, None
            return found
        if self._parse is None and self._buffer:
            plain = self._cut_plain(self._buffer)
            if plain is not None:
                return plain
        return self._cut_any() if self._buffer else None

    def new_head(self) -> Head | None:
        """The head of a request whose body is still to come, once."""
        if self._parse is not None:
            return self._parse.new_head()
        found, self._new_head = self._new_head, None
        return found

    def clear(self) -> None:
        """Forget what has arrived."""
        self._buffer, self._gathering, self._gathered, self._parse = b"", None, None, None

    def _cut_plain(self, arrived: bytes) -> Request | None:
        """Cut off a request with a plain head; None for any other, and while its body is not here.

        Of the latter nothing stays in the buffer.
        """
        end = arrived.find(HEAD_END) + 4
        if not 4 <= end <= MAX_PLAIN_HEAD:
            return None
        head = recognise(arrived[:end])
        if head is None or (length := head.length) is None or length > self._max_body:
            return None
        behind = end + length
        body = arrived[end:behind]
        if len(body) < length:
            self._new_head, self._buffer = head, b""
            self._gathering = _Gathering(head, length, body)
            return None
        self._buffer = arrived[behind:]
        return Request(head, body)

    def _cut_any(self) -> Request | None:
        """Give what has arrived to the strict parser."""
        if self._parse is None:
            self._parse = Parse(self._limits, self._max_body)
        parse, data = self._parse, self._buffer
        self._buffer = data[PIECE:]
        parse.feed(data[:PIECE])
        if not parse.complete:
            return None
        assert parse.head is not None
        self._parse, self._buffer = None, parse.rest() + self._buffer
        return Request(parse.head, bytes(parse.body), parse.overlong)


class StrictCutter(Cutter):
    """Leaves every request to the strict parser, for limits that a plain head may exceed."""

    __slots__ = ()

    def whole(self, _arrived: bytes) -> Request | None:
        """None, always."""
        return None

    def _cut_plain(self, _arrived: bytes) -> Request | None:
        return None


class _Gathering:
    """A body of a known length that arrives in pieces."""

    __slots__ = ("_missing", "_pieces", "head", "held")

    def __init__(self, head: Head, length: int, begin: bytes) -> None:
        self.head = head
        self._pieces = [begin]
        self._missing = length - len(begin)
        self.held = len(begin)

    def take(self, data: bytes) -> bytes | None:
        """Take what has arrived; what is behind the body once that is whole, until then None."""
        piece = data[: self._missing]
        self._pieces.append(piece)
        self._missing -= len(piece)
        self.held += len(piece)
        return None if self._missing else data[len(piece) :]

    def body(self) -> bytes:
        return b"".join(self._pieces)
