"""The body of a request: what it must be declared as, and all of it within the limit."""

import zlib
from collections.abc import Callable
from contextlib import suppress

from flask import Request

from app.errors import InvalidInput, NotAcceptable, TooLarge, UnsupportedMedia

_JSON = "application/json"
# A client that is still sending when the connection is closed loses the answer, and learns nothing.
_DISCARDED = 64 << 20
_PIECE = 1 << 16
_COVERING = ("*/*", "application/*", _JSON)
# Window sizes: 31 expects a gzip header, 15 a zlib one, which HTTP calls deflate.
_CODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def check_acceptable(request: Request) -> None:
    """Raise NotAcceptable where the client takes no JSON.

    The most specific range that covers JSON decides. Its parameters are not looked at, since many
    clients add a charset, and neither is a header that names nothing at all.
    """
    ranges = request.accept_mimetypes
    covering = [
        (_COVERING.index(kind), quality)
        for value, quality in ranges
        if (kind := value.partition(";")[0].strip().lower()) in _COVERING
    ]
    if ranges and max(covering, default=(0, 0))[1] <= 0:
        raise NotAcceptable(f"the answer is {_JSON}, which the Accept header rules out")


def read_json_body(request: Request, limit: int) -> bytes:
    """All of a JSON body, inflated where it came compressed.

    Args:
        request: whose body was not read yet.
        limit: how many bytes it may have, before and after inflating.

    Raises:
        UnsupportedMedia: it is not declared as JSON in UTF-8, or its coding is unknown.
        TooLarge: it has more than `limit` bytes.
        InvalidInput: it ends early or is not what its coding says.
    """
    _check_type(request)
    inflate = _inflater(request.headers.get("Content-Encoding", "identity"))
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    # One byte past the limit is read rather than trusting a length: chunked bodies declare none.
    return inflate(_read(request.stream.read, limit), limit)


def discard_rest(request: Request) -> None:
    """Take in what was not read of the body of a refused request, up to 64 MiB."""
    if not request.content_length and "Transfer-Encoding" not in request.headers:
        return
    with suppress(Exception):  # it ends early or is malformed, and the answer stands already
        room = _DISCARDED
        while room > 0 and (piece := request.stream.read(_PIECE)):
            room -= len(piece)


def _check_type(request: Request) -> None:
    charset = request.mimetype_params.get("charset", "utf-8")
    if request.mimetype != _JSON or charset.lower() not in ("utf-8", "utf8"):
        given = request.headers.get("Content-Type")
        told = f"the Content-Type {given[:80]!r}" if given else "no Content-Type"
        raise UnsupportedMedia(f"the body has {told}: send {_JSON} in UTF-8")


def _read(read: Callable[[int], bytes], limit: int) -> bytes:
    pieces, room = [], limit + 1
    try:
        while room > 0 and (piece := read(room)):
            pieces.append(piece)
            room -= len(piece)
    except Exception as error:  # each server has its own for a body that ends early or is malformed
        raise InvalidInput("the body ends early, or its chunks are malformed") from error
    if room <= 0:
        raise _too_large(limit)
    return b"".join(pieces)


def _inflater(coding: str) -> Callable[[bytes, int], bytes]:
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        return lambda body, _limit: body
    if coding not in _CODINGS:
        known = "gzip, deflate or none"
        raise UnsupportedMedia(f"the Content-Encoding {coding[:80]!r} is not known: use {known}")
    return lambda body, limit: _inflate(body, limit, coding)


def _inflate(body: bytes, limit: int, coding: str) -> bytes:
    inflater = zlib.decompressobj(_CODINGS[coding])
    try:
        inflated = inflater.decompress(body, limit + 1)
    except zlib.error:
        raise InvalidInput(f"the body is not valid {coding}") from None
    if len(inflated) > limit:
        raise _too_large(limit)
    if not inflater.eof or inflater.unused_data:
        raise InvalidInput(f"the body is not one whole {coding} stream")
    return inflated


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body has more than {limit} bytes, the limit")
