"""Files of the prediction log: the true records in their order, and what is missing is told.

The same bytes are taken for such a file, for what somebody sealed in one (which takes nothing but
the public key), for a file of keys, and for the name of a file.
"""

import struct
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import x25519

from app.errors import ConfigError
from app.journal.folder import begun
from app.journal.keys import key_id, read_private, read_public
from app.journal.reading import Remark, read
from app.journal.records import Record, line, packed
from app.journal.sealing import END, HEADER_BYTES, RECORDS, begin
from tests.fuzz import pems
from tests.fuzz.places import place
from tests.support.journal import record, written

PRIVATE = x25519.X25519PrivateKey.from_private_bytes(bytes(range(32)))
TRUE = [record(number, body) for number, body in enumerate((b"[1]", b"\xff\n", b"", b"{}"))]
DEEP = 900
"""Brackets beyond which the reader of JSON that judges the lines gives up."""
TOLD: tuple[Any, ...] = (
    *([], {}, 5, None, "abcd", [1, "a", "m/1"], [1, "a", "m/1", None, 5], [1, "a", "m/1", ""]),
    *([None, "a", "m/1", None], ["5", "a", "m/1", None], [1.5, "a", "m/1", None]),
    *([-1, "a", "m/1", None], [1 << 63, "a", "m/1", None], [10**300, "a", "m/1", None]),
    *([True, "a", "m/1", None], [1, None, "m/1", None], [1, 5, "m/1", None], [1, [], "m/1", None]),
    *([1, "", "m/1", None], [1, "\x00\n", "m/1", None], [1, "a", None, None], [1, "a", 5, None]),
    *([1, "a", "", None], [1, "a", "m", None], [1, "a", "m/", None], [1, "a", "/1", None]),
    *([1, "a", "m/x", None], [1, "a", "a/b/1", None], [1, "a", "m/\u0661", None]),
    *([1, "a", "m/1", 5], [1, "a", "m/1", ""], [1, "a", "m/1", []], [1, "a", "m/1", {}]),
)


def seeds() -> Iterator[bytes]:
    """Files whole and damaged, contents right and wrong, keys of all kinds."""
    whole = _file(complete=True)
    cut = _file(complete=False)
    yield from (b"", whole, cut, whole[:HEADER_BYTES], whole[:-1], whole + b"x", whole + whole)
    frames, end = whole[HEADER_BYTES : len(cut)], whole[len(cut) :]
    yield from (whole[:HEADER_BYTES] + each for each in (end, frames + frames, frames[50:]))
    for place_ in range(0, len(whole), 37):
        yield whole[:place_] + bytes([whole[place_] ^ 1]) + whole[place_ + 1 :]
    point = whole[: HEADER_BYTES - 32]  # of small order, which no honest writer picks
    yield from (point + each * 32 + frames for each in (b"\x00", b"\xff"))
    yield b"".join(packed(each) for each in TRUE)
    yield packed(TRUE[0])[:-1]
    for told in TOLD:
        data = repr(told).encode() if _is_large(told) else orjson.dumps(told)
        yield struct.pack(">III", len(data), 1, 1) + data + b"12"
    yield struct.pack(">III", 1 << 31, 1 << 31, 1 << 31)
    for body in (b"[" * 100 + b"]" * 100, b'"\\u2028\r\n"', b'"\xe2\x80\xa8"', b"NaN", b" 1\r\n "):
        yield packed(record(1, body))
    yield from pems.seeds()
    yield from (b"20261126T090000Z-1-01234567.sealed", b"20261399T090000Z-1-01234567.sealed")
    yield "\u0662\u0660261126T090000Z-1-01234567.sealed".encode()


def check(data: bytes) -> None:
    """Read it as all of these."""
    _check_file(data)
    _check_content(data)
    _check_keys(data)
    name = data.decode("utf-8", "replace")
    assert begun(name) is None or (name.endswith(".sealed") and "/" not in name)


def _check_file(data: bytes) -> None:
    """True records in their order; where some are missing, a remark stands in their place."""
    found = _read(data)
    position = 0
    for each in found:
        if isinstance(each, Remark):
            continue
        at = TRUE.index(each)
        assert at >= position, "a record is repeated or moved"
        assert at == position or _is_damaged(found[: found.index(each)]), "some are left out"
        position = at + 1
    assert position == len(TRUE) or any(isinstance(each, Remark) for each in found)


def _check_content(data: bytes) -> None:
    """What somebody sealed who may: records that can be shown, or one remark."""
    header, chain = begin(PRIVATE.public_key())
    found = _read(header + chain.seal(RECORDS, data) + chain.seal(END, b""))
    records = [each for each in found if isinstance(each, Record)]
    assert len(records) == len(found) or (not records and _is_damaged(found))
    assert not records or b"".join(map(packed, records)) == data or _is_respelled(records, data)
    for each in records:
        _check_line(each)


def _check_line(each: Record) -> None:
    """One line of JSON that holds the record."""
    shown = line(each)
    assert shown.endswith(b"\n")
    assert shown.count(b"\n") + shown.count(b"\r") == 1
    if shown.count(b"[") + shown.count(b"{") < DEEP:
        told = orjson.loads(shown)
        assert list(told) == [
            *("time", "request_id", "model", "version", "key", "request", "answer"),
        ]
        assert f"{told['model']}/{told['version']}" == each.model
        assert (told["request_id"], told["key"]) == (each.request_id, each.key)


def _check_keys(data: bytes) -> None:
    """A key of X25519, or one line that names the file."""
    path = place("predictions.pem")
    path.write_bytes(data)
    for read_key in (read_public, read_private):
        told = str(path)
        try:
            key: Any = read_key(path)
        except ConfigError as error:
            told = error.message
        else:
            public = key.public_key() if read_key is read_private else key
            assert len(key_id(public)) == 8
        assert str(path) in told
        assert told.isprintable()


def _read(data: bytes) -> list[Record | Remark]:
    path = place("log.sealed")
    path.write_bytes(data)
    found = list(read(path, PRIVATE))
    assert all(each.text.isprintable() for each in found if isinstance(each, Remark))
    return found


def _is_damaged(found: Sequence[Record | Remark]) -> bool:
    return any(isinstance(each, Remark) and each.is_damage for each in found)


def _is_respelled(records: Sequence[Record], data: bytes) -> bool:
    """Whether the same is written with other blanks or escapes, which is somebody else's habit."""
    return all(each.body in data and each.answer in data for each in records)


def _is_large(told: Any) -> bool:
    return isinstance(told, list) and any(isinstance(n, int) and n > 1 << 62 for n in told)


@cache
def _file(*, complete: bool) -> bytes:
    """A file of three frames, for a key that is the same in each process."""
    path = Path(place("true.sealed"))
    path.unlink(missing_ok=True)
    lots = (TRUE[:2], TRUE[2:3], TRUE[3:])
    return written(path, PRIVATE.public_key(), *lots, complete=complete).read_bytes()
