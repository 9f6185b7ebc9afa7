"""JSON read strictly: what another parser could read otherwise is refused.

orjson already refuses NaN, Infinity, numbers beyond float64, a byte order mark, other encodings
than UTF-8, lone surrogates and nesting deeper than 1,024. This adds duplicate keys, and a bound on
what a body can unfold to, before anything is allocated for it.
"""

import json
import re
from typing import Any

import orjson

from app.errors import InvalidInput, TooLarge

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


def loads(body: bytes, max_rows: int) -> Any:
    """The value of a JSON document.

    Args:
        body: the document, UTF-8.
        max_rows: how many rows a request may hold; a document with more lists and objects than so
            many rows can need is not unfolded.

    Raises:
        InvalidInput: it is not JSON, or an object has a key twice; says what and where.
        TooLarge: it holds too many lists or objects.
    """
    _refuse_too_many(body, max_rows)
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(
            f"the body is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    _refuse_duplicate_keys(body, found)
    return found


def _refuse_too_many(body: bytes, max_rows: int) -> None:
    # A request is one object with one list around its rows; 16 leaves other dialects some room.
    allowed = max_rows + 16
    if body.count(b"[") + body.count(b"{") <= allowed:
        return
    bare = _STRING.sub(b"", body)
    if bare.count(b"[") + bare.count(b"{") > allowed:
        raise TooLarge(
            f"the body holds more lists and objects than {max_rows} rows, the limit, need"
        )


def _refuse_duplicate_keys(body: bytes, found: Any) -> None:
    keys = _count_keys(found)
    # Colons inside strings can only make the first count larger than the number of keys written.
    if body.count(b":") == keys or _STRING.sub(b"", body).count(b":") == keys:
        return
    json.loads(body, object_pairs_hook=_refuse_pairs)
    raise InvalidInput("the body has an object with the same key twice")


def _count_keys(found: Any) -> int:
    """How many keys all objects of a document have; walked by levels, not by recursion."""
    keys = 0
    level = [found]
    while level:
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                keys += len(value)
                below += [item for item in value.values() if isinstance(item, list | dict)]
            elif isinstance(value, list):
                below += [item for item in value if isinstance(item, list | dict)]
        level = below
    return keys


def _refuse_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InvalidInput(f"the body has an object with the key {key[:80]!r} twice")
        found[key] = value
    return found
