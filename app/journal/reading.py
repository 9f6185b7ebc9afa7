"""Reading a file of a prediction log, which takes the private key."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.files import Folder, reason
from app.journal.records import Record, unpacked
from app.journal.sealing import END, HEAD_BYTES, HEADER_BYTES, RECORDS, Chain, NotSealed, resume

_MAX_BYTES = 1 << 31


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a file beside its records.

    Attributes:
        text: what it is, to be put behind the file's name.
        is_damage: whether the file is not as it was written; else it only lacks its end, as that
            of a worker which is still writing or was killed.
        is_absent: whether there is no such file, as of one that became too old meanwhile.
    """

    text: str
    is_damage: bool
    is_absent: bool = False


def read(path: Path, private: Any) -> Iterator[Record | Remark]:
    """What can be read of a file, in the order it was written, and what is wrong with it."""
    try:
        with Folder.open(path.parent) as folder:
            data = folder.read(path.name, _MAX_BYTES)
    except OSError as error:
        is_absent = isinstance(error, FileNotFoundError)
        yield Remark(f"cannot be read: {reason(error)}", is_damage=True, is_absent=is_absent)
        return
    if not data:
        yield Remark("is empty: its worker was killed before it wrote anything", is_damage=False)
        return
    try:
        chain = resume(private, data[:HEADER_BYTES])
    except NotSealed as error:
        yield Remark(f"cannot be read: {error}", is_damage=True)
        return
    yield from _frames(chain, memoryview(data)[HEADER_BYTES:])


def _frames(chain: Chain, rest: memoryview) -> Iterator[Record | Remark]:
    """Frame after frame, as far as their heads can be opened."""
    while rest:
        start, rest = rest[:HEAD_BYTES], rest[HEAD_BYTES:]
        if len(start) < HEAD_BYTES:
            break
        try:
            kind, length = chain.open_head(bytes(start))
        except NotSealed:
            yield Remark(f"is damaged, and its last {len(rest)} bytes are lost", is_damage=True)
            return
        if length > len(rest):
            break
        sealed, rest = bytes(rest[:length]), rest[length:]
        yield from _content(chain, kind, sealed)
        if kind == END:
            if rest:
                yield Remark(f"has {len(rest)} bytes behind its end", is_damage=True)
            return
    yield Remark(
        "has no end: its worker is writing it, or was killed, or the end was cut off",
        is_damage=False,
    )


def _content(chain: Chain, kind: int, sealed: bytes) -> Iterator[Record | Remark]:
    try:
        content = chain.open_content(sealed)
        found = list(unpacked(content)) if kind == RECORDS else []
    except NotSealed:
        yield Remark(f"is damaged: {len(sealed)} bytes of records are lost", is_damage=True)
    except ValueError:
        yield Remark("holds records that this version cannot read", is_damage=True)
    else:
        yield from found
