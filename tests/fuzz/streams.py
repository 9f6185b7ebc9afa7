"""What a client may send on one connection: requests in every notation, some of them spoiled."""

import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

from tests.support.framing import GOOD, REFUSED, TAKEN

T = TypeVar("T")

METHODS = ("GET", "POST", "POST", "POST", "PUT", "DELETE", "OPTIONS", "FOO", "get", "P@ST", "")
TARGETS = (
    "/predict", "/predict", "/predict", "/models/tiny/predict", "/models/nobody/predict",
    "/healthz", "/readyz", "/models", "/nope", "/%70redict", "/predict?a=b", "http://h/predict",
    "//predict", "*", "/models/tiny%2f1/predict",
    "/models/../predict", "/predict#a", "predict", "/\xe9", "/a b",
    "http://[::1/", "/%00", "h:1",
)  # fmt: skip
VERSIONS = ("HTTP/1.1",) * 9 + ("HTTP/1.0", "HTTP/1.0", "HTTP/2.0", "http/1.1", "HTTP/1.1 ")
HEADERS = (
    "Host: x", "Host:", "host: y", "Content-Type: application/json", "Content-Type: text/csv",
    "Accept: */*", "Accept: text/html", "Connection: close", "Connection: keep-alive",
    "Connection: Keep-Alive, TE", "X-Request-Id: mine", "X-Request-Id: a b", "Expect: 100-continue",
    "Expect: foo", "Content-Encoding: gzip", "X_A: 1", "X-A:\t1 ", "X-A: \xe9", "Upgrade: h2c",
    "Content-Length: 0", "Content-Length: 15", "Content-Length: +1", "Transfer-Encoding: chunked",
    "Transfer-Encoding: identity", "Transfer-Encoding: gzip, chunked", "Trailer: X-A",
    "TE: trailers", "X-A : 1", " X-A: 1", "X-A", ": 1",
    "X-A: a\x00b", "X-A: a\nb", "X-A: a\rb", "X\xe9: 1",
    "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-A: " + "a" * 5000,
)  # fmt: skip
BODIES = (GOOD, GOOD, GOOD, b"", b"{", b'{"x":[[1,2,3],[4,5,6]]}', b" " * 5000 + GOOD, b"\x1f\x8b")
ENDS = ("\r\n",) * 30 + ("\n", "\r", "", "\r\n ", "\r\n\t")
SIZES = (
    "%x",
    "%X",
    "00%x",
    "%x;a=b",
    '%x ; a="b;c"',
    "%x;",
    "0x%x",
    "+%x",
    "%x ",
    " %x",
    "1%x",
    "%xg",
)


class Streams:
    """Writes what arrives on a connection.

    Args:
        draw: where chance comes from.
    """

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self.known = [raw.sent for raw in (*TAKEN.values(), *REFUSED.values())]

    def stream(self) -> bytes:
        """One to four requests behind each other."""
        count = self._draw.choice((1, 2, 2, 3, 4))
        return b"".join(
            self._pick(self.known) if self._draw.random() < 0.3 else self._request()
            for _ in range(count)
        )

    def pieces(self, data: bytes) -> list[bytes]:
        """The same bytes, cut somewhere."""
        places = sorted(self._draw.randrange(len(data) + 1) for _ in range(self._draw.randrange(6)))
        return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]

    def _request(self) -> bytes:
        if self._draw.random() < 0.6:
            method, target, version = "POST", self._pick(TARGETS[:5]), "HTTP/1.1"
        else:
            method, target = self._pick(METHODS), self._pick(TARGETS)
            version = self._pick(VERSIONS)
        body, framing = self._body()
        lines = ["Host: x", "Content-Type: application/json", framing]
        lines += [self._pick(HEADERS) for _ in range(self._pick((0, 0, 1, 1, 2, 5)))]
        if self._draw.random() < 0.1:
            lines.pop(self._draw.randrange(len(lines)))
        self._draw.shuffle(lines)
        end = self._pick(ENDS) if self._draw.random() < 0.2 else "\r\n"
        head = f"{method} {target} {version}{end}" + "".join(line + "\r\n" for line in lines)
        return head.encode("latin-1") + b"\r\n" + body

    def _body(self) -> tuple[bytes, str]:
        """A body as it is sent, and the header that says how long it is."""
        body = self._pick(BODIES)
        if self._draw.random() < 0.5:
            off = self._draw.choice((0, 0, 0, 0, 0, 0, 1, -1, 7))
            return body, f"Content-Length: {len(body) + off}"
        sent = b""
        for piece in self._cut(body):
            size = self._pick(SIZES if self._draw.random() < 0.1 else SIZES[:5]) % len(piece)
            sent += (
                size.encode() + b"\r\n" + piece + (b"\r\n" if self._draw.random() < 0.99 else b"")
            )
        trailer = self._pick((b"", b"", b"", b"X-A: 1\r\n", b"Host: y\r\n", b"X-A\r\n"))
        last = self._pick((b"0\r\n",) * 6 + (b"000\r\n", b"0;a\r\n", b"", b"0\n"))
        return sent + last + trailer + b"\r\n", "Transfer-Encoding: chunked"

    def _cut(self, body: bytes) -> Iterator[bytes]:
        while body:
            size = self._draw.choice((1, 2, 5, 16, 1000, 10_000))
            yield body[:size]
            body = body[size:]

    def _pick(self, choices: Sequence[T]) -> T:
        return self._draw.choice(choices)
