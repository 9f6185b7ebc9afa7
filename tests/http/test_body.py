"""Reading a body: all of it, no more than the limit, however it comes."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from flask import Request
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from app.errors import InvalidInput, TooLarge
from app.http.body import discard_rest, read_json_body
from tests.support.memory import measurable, touched

LIMIT = 8 << 20


class Stream(io.RawIOBase):
    """What a server gives to read from, piece by piece; counts what was taken."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.given = 0

    def read(self, size: int = 1 << 30) -> bytes:
        piece = next(self._pieces, b"")[:size]
        self.given += len(piece)
        return piece


def request(stream: Any, **headers: str) -> Request:
    """A request with this body, whose length is not declared."""
    environ = EnvironBuilder(
        method="POST", content_type="application/json", headers=Headers(headers)
    )
    return Request(environ.get_environ() | {"wsgi.input": stream, "wsgi.input_terminated": True})


def test_body_is_put_together_from_pieces() -> None:
    stream = Stream(iter([b'{"x":', b"[1,2", b"]}"]))

    assert read_json_body(request(stream), LIMIT) == b'{"x":[1,2]}'


def test_nothing_is_read_behind_the_limit() -> None:
    stream = Stream(b"1234567890" for _ in range(1000))

    with pytest.raises(TooLarge, match="more than 104 bytes"):
        read_json_body(request(stream), 104)

    assert stream.given == 105


@pytest.mark.parametrize("error", [OSError, ValueError, EOFError, RuntimeError])
def test_body_that_cannot_be_read_to_its_end_is_the_clients_fault(error: type[Exception]) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"x":'
        raise error

    with pytest.raises(InvalidInput, match="ends early"):
        read_json_body(request(Stream(pieces())), LIMIT)


def test_rest_of_a_refused_body_is_taken_in_up_to_64_mib() -> None:
    piece = bytes(1 << 16)
    short, endless = Stream(piece for _ in range(100)), Stream(piece for _ in iter(int, 1))

    for stream in (short, endless):
        discard_rest(request(stream, **{"Transfer-Encoding": "chunked"}))

    assert short.given == 100 << 16
    assert endless.given == 64 << 20


def test_rest_that_cannot_be_read_changes_nothing() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x"
        raise OSError

    stream = Stream(pieces())
    discard_rest(request(stream, **{"Transfer-Encoding": "chunked"}))

    assert stream.given == 1


def test_request_without_a_body_is_not_read_from() -> None:
    stream = Stream(iter([b"next request"]))
    discard_rest(request(stream))

    assert stream.given == 0


BOMBS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": partial(gzip.compress, compresslevel=1),
    "deflate": partial(zlib.compress, level=1),
}


@pytest.mark.skipif(not measurable(), reason="this system does not tell the peak of memory")
@pytest.mark.parametrize("coding", BOMBS)
def test_bomb_is_inflated_no_further_than_the_limit(coding: str) -> None:
    bomb = BOMBS[coding](bytes(256 << 20))

    def read() -> None:
        with pytest.raises(TooLarge):
            read_json_body(request(io.BytesIO(bomb), **{"Content-Encoding": coding}), LIMIT)

    assert touched(read) < 4 * LIMIT
