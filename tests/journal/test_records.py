"""Records: as bytes and back, and as lines that any reader of JSON takes."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.journal.records import FRAME_BYTES, Record, framed, line, packed, unpacked
from tests.support.journal import record

RECORDS = st.builds(
    Record,
    st.integers(0, 2**62),
    st.from_regex(r"[A-Za-z0-9._-]{1,128}", fullmatch=True),
    st.just("tiny/2"),
    st.none() | st.text(),
    st.binary(max_size=100),
    st.binary(max_size=100),
)


@given(st.lists(RECORDS, max_size=5))
def test_any_records_are_packed_and_unpacked(records: list[Record]) -> None:
    assert list(unpacked(b"".join(map(packed, records)))) == records


@given(RECORDS, st.data())
def test_a_record_that_is_not_whole_is_refused(record: Record, data: st.DataObject) -> None:
    whole = packed(record)
    length = data.draw(st.integers(1, len(whole) - 1))

    with pytest.raises(ValueError, match="whole"):
        list(unpacked(whole[:length]))


@pytest.mark.parametrize(
    "told",
    [
        b"5",
        b'"abcd"',
        b'{"time":1}',
        b'[1,"a","m/1"]',
        b'["1","a","m/1",null]',
        b'[true,"a","m/1",null]',
        b'[-1,"a","m/1",null]',
        b'[1,null,"m/1",null]',
        b'[1,"a",null,null]',
        b'[1,"a","m",null]',
        b'[1,"a","m/",null]',
        b'[1,"a","m/x",null]',
        b'[1,"a","m/1",5]',
    ],
)
def test_what_is_told_of_a_record_and_cannot_be_shown_is_refused(told: bytes) -> None:
    content = struct.pack(">III", len(told), 1, 1) + told + b"12"

    with pytest.raises(ValueError, match="record"):
        list(unpacked(content))


def test_a_line_holds_request_and_answer_digit_by_digit() -> None:
    asked = b'{"x": [18446744073709551616,\r\n 1.10, 1e-400]}\n'

    shown = line(record(0, asked))

    assert shown.count(b"\n") == 1
    assert b'"request":{"x": [18446744073709551616,   1.10, 1e-400]}' in shown
    assert json.loads(shown) == {
        "time": "2027-01-15T08:00:00.000Z",
        "request_id": "id-0",
        "model": "tiny",
        "version": 2,
        "key": "reader",
        "request": json.loads(asked),
        "answer": {"y": 1.5},
    }


def test_what_is_no_json_is_shown_in_base64() -> None:
    shown = json.loads(line(record(0, b"\xff\n")))

    assert shown["request"] == {"base64": "/wo="}


def test_records_are_sealed_in_lots_and_none_is_lost() -> None:
    records = [record(n, b"x" * (FRAME_BYTES // 3)) for n in range(8)]

    lots = list(framed(records))

    assert [len(lot) for lot in lots] == [3, 3, 2]
    assert [each for lot in lots for each in lot] == records
    assert list(framed([])) == []
