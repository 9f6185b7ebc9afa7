"""JSON read strictly: what another parser could read otherwise is refused.

orjson already refuses NaN, Infinity, numbers beyond float64, a byte order mark, other encodings
than UTF-8, lone surrogates and nesting deeper than 1,024. This adds duplicate keys, a bound on what
a body can unfold to before anything is allocated for it, and sentences for people.

Nothing here takes more than linear time, and no regular expression sees a body: one that skips
strings is quadratic on a string of escaped quotes that never ends.
"""

import json
import re
from contextlib import suppress
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from app.errors import InvalidInput, TooLarge

MAX_DEPTH = 1024
"""How deep lists and objects may be nested, a limit of orjson."""

ALWAYS_UNFOLDED = 20_000
"""So many lists, objects or values are read whatever the limits, to tell exactly what is wrong."""

_STRUCTURE = b'"[]{}:,'
_REST = bytes(set(range(256)) - set(_STRUCTURE))
_STEPS = np.zeros(256, dtype=np.int8)
_STEPS[list(b"[{")], _STEPS[list(b"]}")] = 1, -1
_PIECE = 1 << 16
_CONTAINERS = frozenset({list, dict})
_NOT_A_NUMBER = re.compile(r"[\s\[:,]?([+-]?(?:NaN|Infinity|Inf))\b", re.IGNORECASE)


def loads(body: bytes, max_rows: int, max_values: int | None = None) -> Any:
    """The value of a JSON document.

    Args:
        body: the document, UTF-8.
        max_rows: how many rows a request may hold; a document with many more lists and objects than
            so many rows can need is not unfolded.
        max_values: how many values these rows may hold, if that is known; likewise.

    Raises:
        InvalidInput: it is not JSON, or an object has a key twice; says what and where.
        TooLarge: it holds too many lists, objects or values.
    """
    _refuse_too_many(body, max_rows, max_values)
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"the body is not valid JSON: {_explain(body, error)}") from None
    _refuse_duplicate_keys(body, found)
    return found


def holds_only_numbers(body: bytes, strings: int) -> bool:
    """Whether every value in a valid JSON document is a number, but for so many strings.

    true, false and null have a letter that nothing else outside of strings has, and a string has
    two quotes; looking for what is not there is a hundred times faster than looking at each value.
    """
    return not (b"t" in body or b"f" in body or b"n" in body) and body.count(b'"') == 2 * strings


def _refuse_too_many(body: bytes, max_rows: int, max_values: int | None) -> None:
    # A request is one object with one list around its rows; 16 leaves other dialects some room.
    lists = max(max_rows + 16, ALWAYS_UNFOLDED)
    commas = len(body) if max_values is None else max(max_values + 16, ALWAYS_UNFOLDED)
    room = len(body) // 2  # each of them takes two bytes at least
    few_lists = room <= lists or body.count(b"[") + body.count(b"{") <= lists
    if few_lists and (room <= commas or body.count(b",") <= commas):
        return
    bare = _structure(body)
    if np.count_nonzero(_STEPS[bare] == 1) > lists:
        if _is_too_deep(bare):
            raise InvalidInput(f"the body is not valid JSON: nested deeper than {MAX_DEPTH}")
        raise TooLarge(f"the body has more lists and objects than {max_rows} rows need, the limit")
    if np.count_nonzero(bare == ord(",")) > commas:
        raise TooLarge(f"the body has more values than {max_rows} rows need, the limit")


def _structure(body: bytes) -> NDArray[np.uint8]:
    """The brackets, braces, colons and commas of a document that are not inside its strings."""
    if b"\\" in body:
        body = body.replace(rb"\\", b"").replace(rb"\"", b"")
    found = np.frombuffer(body.translate(None, delete=_REST), dtype=np.uint8)
    inside = np.bitwise_xor.accumulate(found == ord('"'))
    outside: NDArray[np.uint8] = found[~inside]
    return outside


def _is_too_deep(bare: NDArray[np.uint8]) -> bool:
    depth = 0
    for start in range(0, bare.size, _PIECE):
        depths = depth + np.cumsum(_STEPS[bare[start : start + _PIECE]], dtype=np.int64)
        if depths.max() > MAX_DEPTH:
            return True
        depth = int(depths[-1])
    return False


def _refuse_duplicate_keys(body: bytes, found: Any) -> None:
    colons = body.count(b":")
    if isinstance(found, dict) and len(found) == colons:
        return  # each key of the only object has one
    keys = _count_keys(found)
    # Colons inside strings can only make the first count larger than the number of keys written.
    if colons == keys or np.count_nonzero(_structure(body) == ord(":")) == keys:
        return
    with suppress(RecursionError):  # json has a lower limit; then the key stays without a name
        json.loads(body, object_pairs_hook=_refuse_pairs)
    raise InvalidInput("the body has an object with the same key twice")


def _count_keys(found: Any) -> int:
    """How many keys all objects of a document have; walked by levels, not by recursion."""
    keys = 0
    level = [found] if type(found) in _CONTAINERS else []
    while level:
        below: list[Any] = []
        for value in level:
            inner = value
            if isinstance(value, dict):
                keys += len(value)
                inner = value.values()
            # Rows of plain values are the rule, and are told without a step for each value.
            if not _CONTAINERS.isdisjoint(map(type, inner)):
                below += [item for item in inner if type(item) in _CONTAINERS]
        level = below
    return keys


def _refuse_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InvalidInput(f"the body has an object with the key {key[:80]!r} twice")
        found[key] = value
    return found


def _explain(body: bytes, error: orjson.JSONDecodeError) -> str:
    """What is wrong and where, for someone who looks at the body in an editor."""
    if not body.strip():
        return "it is empty"
    if body.startswith((b"\xff\xfe", b"\xfe\xff")) or 0 in body[:4]:
        return "it looks like UTF-16 or UTF-32, send UTF-8"
    try:
        text = body.decode()
    except UnicodeDecodeError as wrong:
        return f"its byte {wrong.start} (from 0) is not UTF-8"
    place = f"at line {error.lineno}, column {error.colno}"
    token = _NOT_A_NUMBER.match(text, max(error.pos - 1, 0))  # a sign may stand before it
    if token:
        return f"{token[1]} {place} is not a JSON number; null stands for a missing value"
    return f"{error.msg} {place}"
