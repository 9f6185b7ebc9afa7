"""Files of API keys: records that are written back as they are, or one sentence of refusal."""

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from app.errors import StoreError
from app.security import Caller, KeyFile, Scope
from app.security.followed import Followed
from app.security.key_ring import Known
from app.security.records import Record, from_bytes, to_bytes, utc
from app.security.uses import Uses, read
from tests.fuzz.places import place
from tests.support.api_keys import Told

GOOD = Record("abcdefgh", bytes(range(32)), Caller("web", frozenset(Scope)), 1_800_000_000, None)
FEW = Record(
    "ABCDEFGH",
    bytes(32),
    Caller("a few models", frozenset({Scope.PREDICT}), frozenset({"tiny", "mixed"})),
    1_800_000_000,
    1_900_000_000,
)
WRONG: tuple[Any, ...] = (
    *(None, True, -1, 1.5, 10**30, "", "x", "abcdefg\u0661", "a" * 70, [], {}, [[]], [None]),
    *("00" * 31, "0 " * 64, "admin", ["admin"], ["predict", "predict"], ["tiny", "../x"]),
    *("0001-01-01T00:00:00", "9999-12-31T23:59:59Z", "2026-11-26", "2026-11-26T09:00:00+25:00"),
)
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")


def seeds() -> Iterator[bytes]:
    """Files as they are written, then with each member of a record as it should not be."""
    yield from (b"", b"[]", b"{}", b"null", b'{"format":1,"keys":{}}', b'{"format":1}')
    few: tuple[list[Record], ...] = ([], [GOOD], [GOOD, FEW], [GOOD, GOOD])
    yield from map(to_bytes, few)
    yield to_bytes([GOOD, FEW])[:-9]
    entry = json.loads(to_bytes([FEW]))["keys"][0]
    for member in entry:
        for value in WRONG:
            yield _file_of(entry | {member: value})
        yield _file_of({name: value for name, value in entry.items() if name != member})
    others: tuple[Any, ...] = ([], 5, "id", entry | {"more": 1})
    yield from map(_file_of, others)
    for second in ("1800000000", '"soon"', "-1", "1.5", "1e300", "[]", "9" * 30):
        yield f'{{"abcdefgh": {second}, "other": 1800000000}}'.encode()


def check(data: bytes) -> None:
    """Take it for the file of keys, by the tool and by the service, and for that of last uses."""
    path = place("keys.json")
    _put(path, data)
    found = _records(path)
    if found is not None:
        rewritten = to_bytes(found)
        assert from_bytes(rewritten) == found
        assert to_bytes(from_bytes(rewritten)) == rewritten
        _change(path, found)
    _follow(data, found)
    _use(data)


def _records(path: Path) -> list[Record] | None:
    try:
        return KeyFile(path).read()
    except StoreError as error:
        told = error.message
    assert str(path) in told
    assert told.isprintable(), "it may not be one line"
    assert not _DIGEST.search(told), "it shows a digest"
    return None


def _change(path: Path, before: list[Record]) -> None:
    """Add a key: all others stay, but one of this name that is over."""
    try:
        made = KeyFile(path).add(GOOD.caller)
    except StoreError:
        assert any(GOOD.name in (each.name, each.id) for each in before)
        assert KeyFile(path).read() == before
    else:
        *kept, new = KeyFile(path).read()
        assert kept == [each for each in before if each.name != GOOD.name]
        assert (new.id, new.digest, new.caller) == (made.id, made.digest, GOOD.caller)


def _follow(data: bytes, found: list[Record] | None) -> None:
    """A service that has read a good file takes this one over, or keeps what it has and says so."""
    path, followed, told = _followed()
    _put(path, to_bytes([GOOD]))
    good = followed.value()
    assert good == Known.of([GOOD])
    told.clear()
    _put(path, data)
    assert followed.value() == (good if found is None else Known.of(found))
    assert followed.value() is followed.value()
    assert [level for level, _ in told] == (["error"] if found is None else [])


def _use(data: bytes) -> None:
    """Add a last use to those that a file tells, each of which can be shown as a date."""
    path, uses, moment = _uses()
    before = read([_put(path, data)])
    assert all(utc(second) for second in before.values())
    now = next(moment)
    uses.note(GOOD.id, now)
    uses.write()
    assert read([path])[GOOD.id] == max(now, before.get(GOOD.id, 0))


def _put(path: Path, data: bytes) -> Path:
    """Replace a file, so that its identity is another one however fast that is."""
    temporary = path.with_suffix(".new")
    temporary.write_bytes(data)
    os.replace(temporary, path)
    return path


def _file_of(entry: Any) -> bytes:
    return json.dumps({"format": 1, "keys": [entry]}).encode()


@cache
def _followed() -> tuple[Path, Followed[Known], Told]:
    path, told = place("followed.json"), Told()
    return path, Followed(path, Known.read, Known.of(()), told, seconds=0.0), told


@cache
def _uses() -> tuple[Path, Uses, Iterator[int]]:
    path = place("keys.json.used")
    return path, Uses([path], lambda: [GOOD.id, FEW.id], Told()), count(1_800_000_000)
