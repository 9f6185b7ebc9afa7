"""Strict JSON: the same as a slow reference decoder, in linear time and bounded memory."""

import json
import string
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.errors import InvalidInput, RequestError, TooLarge
from app.protocols.strict_json import holds_only_numbers, loads
from tests.support import reference
from tests.support.hostile import DOCUMENTS, NUMBERS, Case
from tests.support.memory import measurable, touched

MAX_ROWS = 100_000
LIMIT = 8 << 20


class Pairs(tuple[tuple[str, Any], ...]):
    """An object as it is written, so that a key can come twice."""


WRITTEN_BY_HAND = [
    case
    for case in DOCUMENTS + NUMBERS
    if len(case.body) < 10_000 and not case.name.startswith("deep")
]
"""What is deeper or longer is too much for the reference."""

KEYS = st.sampled_from(["x", "y", "", ":", '"', "\\", "é", "a:b", '\\":', "[{"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | KEYS
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.lists(st.tuples(KEYS, inner), max_size=4).map(Pairs)
    ),
    max_leaves=12,
)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """A JSON document, written in one of many ways, sometimes with a key twice."""
    space = draw(st.sampled_from(["", " ", "\n\t", " \r\n"]))
    escape = draw(st.booleans())

    def text(value: str) -> str:
        if not escape:
            return json.dumps(value, ensure_ascii=False)
        units = value.encode("utf-16-be", "surrogatepass")
        return '"' + "".join(f"\\u{units[n : n + 2].hex()}" for n in range(0, len(units), 2)) + '"'

    def written(value: Any) -> str:
        if isinstance(value, Pairs):
            pairs = (f"{text(key)}{space}:{space}{written(item)}" for key, item in value)
            return "{" + f",{space}".join(pairs) + "}"
        if isinstance(value, list):
            return "[" + f"{space},".join(map(written, value)) + "]"
        return text(value) if isinstance(value, str) else json.dumps(value)

    return (space + written(draw(VALUES)) + space).encode("utf-8", "surrogatepass")


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A document in which some bytes were replaced, removed or added."""
    body = bytearray(draw(documents()))
    junk = st.sampled_from(
        [b"", b"\x00", b"\xff", *(c.encode() for c in string.printable), b"1e999"]
    )
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        body[start : start + draw(st.integers(0, 2))] = draw(junk)
    return bytes(body)


@settings(max_examples=300)
@given(documents() | spoiled())
@example(b'{"x":1,"\\u0078":2}')
@example(b'[{"a:":1},{"a:":1}]')
@example(b"[-0,-0.0,1e-400,18446744073709551616,-9223372036854775809]")
def test_accepts_what_a_slow_decoder_accepts_with_the_same_values(body: bytes) -> None:
    assert_same_as_reference(body)


@pytest.mark.parametrize("case", WRITTEN_BY_HAND, ids=lambda case: case.name)
def test_agrees_with_a_slow_decoder_on_hostile_documents(case: Case) -> None:
    assert_same_as_reference(case.body)


def assert_same_as_reference(body: bytes) -> None:
    try:
        expected = reference.decode(body)
    except (ValueError, RecursionError):
        with pytest.raises(InvalidInput):
            loads(body, MAX_ROWS)
    else:
        # As text, so that -0.0 differs from 0.0, and 1 from 1.0.
        assert repr(loads(body, MAX_ROWS)) == repr(expected)


@pytest.mark.parametrize("depth", [1, 100, 1000, 1023, 1024])
def test_nesting_up_to_1024_is_read(depth: int) -> None:
    found = loads(b"[" * depth + b"]" * depth, MAX_ROWS)

    for _ in range(depth - 1):
        (found,) = found
    assert found == []


@pytest.mark.parametrize("depth", [1025, 2000, 50_000, 200_000, 1_000_000])
@pytest.mark.parametrize(("before", "behind"), [(b"[", b"]"), (b'{"x":', b"}"), (b'[{"x":', b"}]")])
def test_deeper_nesting_is_refused(depth: int, before: bytes, behind: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"nested deeper than 1024|depth limit"):
        loads(before * depth + b"1" + behind * depth, MAX_ROWS)


def test_brackets_inside_strings_are_not_counted() -> None:
    found = loads(b'{"x":["%s"]}' % (b"[{" * 500_000), MAX_ROWS)

    assert found == {"x": ["[{" * 500_000]}


@pytest.mark.parametrize("row", [b"[]", b"{}", b"[1]", b'{"a":1}'])
def test_more_rows_than_the_limit_are_not_unfolded(row: bytes) -> None:
    body = b'{"x":[%s]}' % b",".join([row] * (MAX_ROWS + 100))

    with pytest.raises(TooLarge, match="100000 rows"):
        loads(body, MAX_ROWS)


def test_more_values_than_the_rows_can_have_are_not_unfolded() -> None:
    body = b"[%s]" % b",".join([b"1"] * 600_000)

    with pytest.raises(TooLarge, match="100000 rows"):
        loads(body, MAX_ROWS, 5 * MAX_ROWS)


def test_commas_inside_strings_are_not_counted() -> None:
    assert loads(b'["%s"]' % (b"," * 600_000), MAX_ROWS, 5 * MAX_ROWS) == ["," * 600_000]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"[NaN]", "NaN at line 1, column 2"),
        (b"[1,\n nan]", "nan at line 2, column 2"),
        ('["é", -Infinity]'.encode(), "-Infinity at line 1"),
        (b"NaN", "NaN at line 1, column 1"),
        (b'{"x":\n[1,\n2,]}', "line 3, column 2"),
        (b'["ok", "\xff"]', "byte 8 (from 0)"),
    ],
)
def test_error_says_where(body: bytes, place: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        loads(body, MAX_ROWS)

    assert place in caught.value.message


def test_repeated_key_is_named() -> None:
    with pytest.raises(InvalidInput, match="the key 'dose' twice"):
        loads(b'{"x":[{"dose":1,"time":2,"d\\u006fse":3}]}', MAX_ROWS)


def test_repeated_key_is_found_at_any_depth() -> None:
    for depth in (1, 500, 900, 1000, 1020):
        body = b'{"x":' * depth + b'{"a":1,"a":2}' + b"}" * depth

        with pytest.raises(InvalidInput, match="twice"):
            loads(body, MAX_ROWS)


EIGHT_MIB = {
    "empty-lists": b'{"x":[' + b"[]," * (LIMIT // 3) + b"[]]}",
    "empty-objects": b'{"x":[' + b"{}," * (LIMIT // 3) + b"{}]}",
    "nested-lists": b"[" * LIMIT,
    "nested-objects": b'{"x":' * (LIMIT // 5),
    "rows": b'{"x":[' + b"[1]," * 1_000_000 + b"[1]]}",
    "values": b'{"x":[' + b"1," * (LIMIT // 2) + b"1]}",
    "texts": b'{"x":[' + b'"",' * (LIMIT // 3) + b'""]}',
    "digits": b'{"x":[' + b"9" * LIMIT + b"]}",
    "decimals": b'{"x":[0.' + b"9" * LIMIT + b"]}",
    "one-text": b'{"x":["' + b"a" * LIMIT + b'"]}',
    "escaped-text": b'{"x":["' + b'\\"' * (LIMIT // 2) + b'"]}',
    "colons-in-text": b'{"x":["' + b":" * LIMIT + b'"]}',
    "brackets-and-endless-text": b"[" * 110_000 + b'"' + b'\\"' * (LIMIT // 2),
    "brackets-and-broken-escapes": b"[" * 110_000 + b'"\\\n' * (LIMIT // 3),
    "same-key": b"{" + b'"x":1,' * (LIMIT // 6) + b'"x":1}',
    "same-key-few-commas": b"{" + b'"x":1,' * 290_000 + b'"x":1}',
    "keys": b"{" + b",".join(b'"%d":1' % n for n in range(LIMIT // 10)) + b"}",
    "spaces": b" " * LIMIT,
    "backslashes": b'["' + b"\\" * LIMIT + b'"]',
    "quotes": b'"' * LIMIT,
}


@pytest.mark.skipif(not measurable(), reason="this system does not tell the peak of memory")
@pytest.mark.parametrize("body", EIGHT_MIB.values(), ids=EIGHT_MIB)
def test_8_mib_touch_at_most_64_mib(body: bytes) -> None:
    def read() -> None:
        with suppress(RequestError):
            loads(body, MAX_ROWS, 3 * MAX_ROWS)

    assert touched(read) < 64 << 20


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"x": [[1, -2.5e3], [0, 1E-5]]}', True),
        (b'{"x": [[1], []]}', True),
        (b'{"x": [[true]]}', False),
        (b'{"x": [[false]]}', False),
        (b'{"x": [[null]]}', False),
        (b'{"x": [["1"]]}', False),
        (b'{"x": [{"a": 1}]}', False),
        (b'{"x": [["\\"]]}', False),
    ],
)
def test_bodies_of_nothing_but_numbers_are_told_by_their_bytes(body: bytes, expected: bool) -> None:
    assert holds_only_numbers(body, 1) is expected
