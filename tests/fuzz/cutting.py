"""Bytes of a connection: the same requests however they arrive, and none that gunicorn refuses."""

from collections.abc import Iterator
from typing import Any

from gunicorn.asgi.parser import ParseError, PythonProtocol

from app.worker.cutting import Cutter, Request
from app.worker.parsing import ExpectationFailed
from tests.support.framing import REFUSED, TAKEN
from tests.support.raw import post

LIMITS = {
    "limit_request_line": 4094,
    "limit_request_fields": 100,
    "limit_request_field_size": 8190,
}
MAX_BODY = 100
MAX_SEED = 10_000
MAX_PIECES = 100

WAITING, IDLE, CLOSED, REFUSED_HERE = "waiting", "idle", "closed", "refused"
Found = tuple[list[Request], str]


def seeds() -> Iterator[bytes]:
    """Requests, good and bad, alone and behind each other."""
    for raw in (*TAKEN.values(), *REFUSED.values()):
        if len(raw.sent) < MAX_SEED:
            yield raw.sent
            yield raw.sent + post()
    yield post() * 3
    yield post(bytes(MAX_BODY)) + post(bytes(MAX_BODY + 1)) + post()


def check(data: bytes) -> None:
    """Cut it as a whole, in two and in small pieces, and by gunicorn's parser alone."""
    whole = cut([data])
    split = 1 + sum(data[-2:]) % (len(data) or 1)
    assert cut([data[:split], data[split:]]) == whole, split
    size = 1 + len(data) // MAX_PIECES
    assert cut([data[n : n + size] for n in range(0, len(data), size)]) == whole
    requests, end = whole
    seen, refused = by_gunicorn(data)
    assert len(seen) >= sum(not request.overlong for request in requests)
    for request, (target, body, environ) in zip(requests, seen, strict=False):
        assert request.head.environ["RAW_URI"] == target
        assert request.overlong or request.body == body
        assert {k: v for k, v in request.head.environ.items() if k in environ} == environ
    if refused and len(seen) == len(requests):
        assert end in (REFUSED_HERE, CLOSED)


def cut(pieces: list[bytes]) -> Found:
    """The requests in what arrives piece by piece, and how it ends."""
    cutter = Cutter(MAX_BODY, LIMITS)
    found: list[Request] = []
    for piece in pieces:
        request = cutter.whole(piece)
        if request is None:
            cutter.add(piece)
        while True:
            try:
                request = request or cutter.next()
            except (ParseError, ExpectationFailed):
                return found, REFUSED_HERE
            if request is None and cutter.waiting:
                continue
            if request is None:
                break
            found.append(bare(request))
            if request.overlong or not request.head.keep_alive:
                return found, CLOSED
            request = None
    return found, WAITING if cutter.begun else IDLE


def bare(request: Request) -> Request:
    """The request without what only the quick way notes, and an overlong one without its body."""
    head = type(request.head)(request.head.environ, request.head.length, request.head.keep_alive)
    body = b"" if request.overlong else request.body
    return Request(head, body, request.overlong)


def by_gunicorn(data: bytes) -> tuple[list[tuple[str, bytes, dict[str, Any]]], bool]:
    """Target, body and some of the environment of each request, and whether it refuses the next."""
    found: list[tuple[str, bytes, dict[str, Any]]] = []
    while data:
        body = bytearray()
        parser = PythonProtocol(on_body=body.extend, **LIMITS)
        try:
            parser.feed(data)
        except (ParseError, ValueError):  # the latter for more digits than Python takes
            return found, True
        if not parser.is_complete:
            break
        environ = {"REQUEST_METHOD": parser.method.decode()}
        for name, value in parser.headers:
            if name in (b"content-type", b"content-length"):
                environ[name.decode().upper().replace("-", "_")] = value.decode("latin-1")
        found.append((parser.path.decode(), bytes(body), environ))
        data = parser.remaining()
        if not parser.should_keep_alive:
            break
    return found, False
