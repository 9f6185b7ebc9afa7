"""What compiled code takes is what Python takes, bit for bit; what is plain, it does take."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.checking import to_matrix
from app.compiled import Plan
from app.errors import OrdinateError
from app.protocols.native import decode
from app.schema import Feature, Schema, Target
from tests.support.compiled import plan
from tests.support.hostile import DOCUMENTS, NUMBERS, ROWS, Case
from tests.support.models import HOSTILE, MIXED, PLAIN, SINGLE

KEY, MAX_ROWS = b'"x"', 1000
WIDE = Schema(
    tuple(Feature(f"f{n}", "number", missing=n % 3 == 0) for n in range(300)), Target("y", 0.0, 1.0)
)
SCHEMAS = {"plain": PLAIN, "mixed": MIXED, "single": SINGLE, "hostile": HOSTILE, "wide": WIDE}

GOOD: dict[str, tuple[Schema, bytes]] = {
    "a row": (PLAIN, b'{"x":[1,2,0.5]}'),
    "space wherever it may be": (PLAIN, b' \r\n{ "x"\t:\n[ 1 , 2 ,\r0.5 ] } \n'),
    "one row in a list": (PLAIN, b'{"x":[[1,2,0.5]]}'),
    "rows": (PLAIN, b'{"x":[[1,2,0.5],[-3e-2,4E+1,0]]}'),
    "an object": (PLAIN, b'{"x":{"width":1,"height":2,"depth":0.5}}'),
    "an object in another order": (PLAIN, b'{"x":{"depth":0.5,"width":1,"height":2}}'),
    "objects and lists": (PLAIN, b'{"x":[{"depth":0,"width":1,"height":2},[1,2,0.5]]}'),
    "integers of 19 digits": (PLAIN, b'{"x":[9223372036854775807,-9223372036854775808,0]}'),
    "both noughts": (PLAIN, b'{"x":[-0,-0.0,0e5]}'),
    "all kinds": (MIXED, b'{"x":[30.5,"own","skilled: yes",true]}'),
    "all that may be missing": (MIXED, b'{"x":[null,"rent",null,false]}'),
    "kinds by name": (
        MIXED,
        b'{"x":[{"member":true,"job":null,"housing":"free","age":-1}]}',
    ),
    "names of other alphabets": (
        Schema((Feature("größe ☃", "category", categories=("ä", "")),), Target("y", 0.0, 1.0)),
        '{"x":[{"größe ☃":"ä"},{"größe ☃":""}]}'.encode(),
    ),
    "the only feature, alone": (SINGLE, b'{"x":[5]}'),
    "the only feature, several": (SINGLE, b'{"x":[5, 6 ,7.5]}'),
    "the only feature, in lists": (SINGLE, b'{"x":[[5],[6]]}'),
    "the largest number": (SINGLE, b'{"x":[1e100,-1e100]}'),
    "as many rows as may be": (SINGLE, json.dumps({"x": [[n] for n in range(1000)]}).encode()),
    "a wide row": (WIDE, json.dumps({"x": [[0.5] * 300] * 40}).encode()),
}

NOT_PLAIN = {
    "too many rows": (SINGLE, json.dumps({"x": [[n] for n in range(1001)]}).encode()),
    "a number beyond the largest": (SINGLE, b'{"x":[1.0000000000000002e100]}'),
    "digits without end": (SINGLE, b'{"x":[0.12345678901234567890123]}'),
    "an escaped key": (SINGLE, b'{"\\u0078":[5]}'),
    "a name twice": (PLAIN, b'{"x":{"width":1,"height":2,"width":1}}'),
    "a name twice, the others missing": (PLAIN, b'{"x":{"width":1,"width":2,"width":1}}'),
    "a name too many": (PLAIN, b'{"x":{"width":1,"height":2,"depth":0.5,"width":1}}'),
    "null where none was seen": (PLAIN, b'{"x":[1,null,0.5]}'),
    "a category of another feature": (MIXED, b'{"x":[30,"unskilled","unskilled",true]}'),
    "a name as a category": (MIXED, b'{"x":[30,"housing","unskilled",true]}'),
    "true for a number": (PLAIN, b'{"x":[1,true,0.5]}'),
    "a number for a boolean": (MIXED, b'{"x":[30,"own",null,1]}'),
}


def by_python(schema: Schema, body: bytes) -> tuple[bool, bytes] | None:
    """Whether the row stands alone, and the bytes of the matrix; None for a body that is wrong."""
    try:
        call = decode(body, schema, MAX_ROWS)
        return call.single, to_matrix(schema, call.rows, call.only_numbers).tobytes()
    except OrdinateError:
        return None


def by_compiled(reader: Plan, body: bytes) -> tuple[bool, bytes] | None:
    read = reader.read(body, KEY, MAX_ROWS)
    return None if read is None else (isinstance(read, list), np.array(read).tobytes())


@pytest.mark.parametrize(("schema", "body"), GOOD.values(), ids=GOOD.keys())
def test_what_is_plainly_right_is_read_like_python_reads_it(schema: Schema, body: bytes) -> None:
    read = by_compiled(plan(schema), body)

    assert read is not None
    assert read == by_python(schema, body)


@pytest.mark.parametrize(("schema", "body"), NOT_PLAIN.values(), ids=NOT_PLAIN.keys())
def test_what_is_not_plainly_right_is_left_to_python(schema: Schema, body: bytes) -> None:
    assert plan(schema).read(body, KEY, MAX_ROWS) is None


@pytest.mark.parametrize("case", [*DOCUMENTS, *NUMBERS, *ROWS], ids=lambda case: case.name)
def test_nothing_hostile_is_taken_that_python_refuses(case: Case) -> None:
    read = by_compiled(plan(PLAIN), case.body)

    assert read is None or read == by_python(PLAIN, case.body)


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS.keys())
def test_no_beginning_and_no_changed_byte_is_read_otherwise(schema: Schema) -> None:
    row = [_value(feature) for feature in schema.features]
    by_name = dict(zip(schema.names, row, strict=True))
    body = json.dumps({"x": [row, by_name]}, ensure_ascii=False).encode()[:2000]
    reader = plan(schema)

    for place in range(len(body)):
        assert reader.read(body[:place], KEY, MAX_ROWS) is None
        for changed in b'\0"\\,:[]{}0-.eE+n\xff \n':
            text = body[:place] + bytes([changed]) + body[place + 1 :]
            read = by_compiled(reader, text)
            assert read is None or read == by_python(schema, text), text


def _value(feature: Feature) -> Any:
    if feature.missing:
        return None
    by_kind: dict[str, Callable[[], Any]] = {
        "number": lambda: -12.5e-3,
        "boolean": lambda: True,
        "category": lambda: feature.categories[-1],
    }
    return by_kind[feature.kind]()


NUMBER = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1e6, 1e6),
    st.integers(-(10**25), 10**25),
)
VALUES = st.one_of(
    NUMBER, st.none(), st.booleans(), st.sampled_from(["own", "rent", "unskilled", "ä", ""])
)
LISTS = st.one_of(
    st.tuples(
        NUMBER,
        st.sampled_from(["own", "free"]),
        st.sampled_from(["unskilled", None]),
        st.booleans(),
    ).map(list),
    st.lists(VALUES, max_size=5),
)
NAMES = st.sampled_from([*MIXED.names, "Age", "x"])
OBJECTS = st.one_of(
    LISTS.map(lambda row: dict(zip(MIXED.names, row, strict=False))),
    st.dictionaries(NAMES, VALUES, max_size=5),
)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:\r")])


@given(st.one_of(LISTS, OBJECTS, st.lists(st.one_of(LISTS, OBJECTS), max_size=4)), SEPARATORS)
def test_whatever_is_sent_both_agree(x: Any, separators: tuple[str, str]) -> None:
    body = json.dumps({"x": x}, separators=separators).encode()

    read = by_compiled(plan(MIXED), body)

    assert read is None or read == by_python(MIXED, body)


@given(st.text(alphabet='{}[]":,x01-.e+ntrufalsonw \\\n', max_size=60))
def test_no_garbage_is_taken_that_python_refuses(text: str) -> None:
    for schema in (PLAIN, MIXED, SINGLE):
        for body in (text.encode(), b'{"x":[' + text.encode() + b"]}"):
            read = by_compiled(plan(schema), body)
            assert read is None or read == by_python(schema, body)


def test_a_matrix_stays_what_it_was_when_others_are_read() -> None:
    reader = plan(PLAIN)
    first = reader.read(b'{"x":[[1,2,3]]}', KEY, MAX_ROWS)

    reader.read(b'{"x":[[4,5,6]]}', KEY, MAX_ROWS)

    assert isinstance(first, np.ndarray)
    assert first.tolist() == [[1.0, 2.0, 3.0]]
