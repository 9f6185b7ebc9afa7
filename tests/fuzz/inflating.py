"""Compressed bodies: inflated as the standard library does it, or refused as a client's mistake."""

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import Any

from flask import Request
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from app.errors import OrdinateError
from app.http.body import read_json_body
from tests.support.hostile import TYPES

LIMIT = 1 << 12
MAX_SEED = 2000
REFUSALS = {400, 413}
CODINGS = {"gzip": 31, "deflate": 15}


def seeds() -> Iterator[bytes]:
    """Streams that are whole, cut short, damaged, of other kinds, and bombs."""
    yield from (
        case.body for case in TYPES if case.name.startswith("coding-") and len(case.body) < MAX_SEED
    )
    for size in (LIMIT - 1, LIMIT, LIMIT + 1, 1 << 20):
        yield gzip.compress(bytes(size), mtime=0)
        yield zlib.compress(bytes(size))


def check(body: bytes) -> None:
    """Inflate it as either coding."""
    for coding, window in CODINGS.items():
        try:
            found: bytes | int = read_json_body(_request(body, coding), LIMIT)
        except OrdinateError as error:
            found = error.status
        expected = inflated(body, window)
        assert found == expected or (expected is None and found in REFUSALS), (coding, found)


def inflated(body: bytes, window: int) -> bytes | None:
    """All of one whole stream that is within the limit, a byte at a time; None for any other."""
    inflater = zlib.decompressobj(window)
    try:
        pieces = [inflater.decompress(body[n : n + 1]) for n in range(len(body))]
    except zlib.error:
        return None
    whole = b"".join(pieces)
    if len(whole) > LIMIT or len(body) > LIMIT or not inflater.eof or inflater.unused_data:
        return None
    return whole


def _request(body: bytes, coding: str) -> Request:
    headers = Headers({"Content-Encoding": coding})
    builder = EnvironBuilder(method="POST", content_type="application/json", headers=headers)
    stream: dict[str, Any] = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    return Request(builder.get_environ() | stream)
