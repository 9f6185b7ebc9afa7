"""What is kept of one prediction, as bytes and as a line of JSON."""

import base64
import re
import struct
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

FRAME_BYTES = 1 << 20
"""Records are sealed together until they have about as many bytes."""

FRAME_NANOSECONDS = 10**9
"""And those alone that are not farther apart: they go into one file, which is of an hour."""

Fields = tuple[int, str, str, str | None, bytes, bytes]
"""Those of a `Record`, in its order: what waits is not worth an object of its own."""

_OTHER_BYTES = 512
_HEAD = struct.Struct(">III")
_MODEL = re.compile(r".+/[1-9][0-9]{0,17}", re.DOTALL)
_COMMANDS = re.compile(rb"\x7f|\xc2[\x80-\x9f]")
"""DEL and the control characters from U+0080 in UTF-8. JSON has them within texts alone, and does
not ask that they are escaped, as those below U+0020 have to be."""
_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")


class Record(NamedTuple):
    """One prediction that was answered with 200.

    Attributes:
        time_ns: when, Unix time.
        request_id: of the request.
        model: NAME/VERSION that predicted.
        key: name of the key that let the request in, if one was asked for.
        body: of the request, inflated where it came compressed.
        answer: the body that answered it.
    """

    time_ns: int
    request_id: str
    model: str
    key: str | None
    body: bytes
    answer: bytes


def size_of(body: bytes, answer: bytes) -> int:
    """Bytes that a record with these takes up while it waits, roughly."""
    return len(body) + len(answer) + _OTHER_BYTES


def packed(record: Fields) -> bytes:
    """A record as bytes: the lengths of its three parts, then the parts.

    Raises:
        TypeError: its names are no text that can be encoded.
    """
    time_ns, request_id, model, key, body, answer = record
    told = orjson.dumps([time_ns, request_id, model, key])
    return b"".join((_HEAD.pack(len(told), len(body), len(answer)), told, body, answer))


def framed(records: Iterable[Fields]) -> Iterator[list[Fields]]:
    """The same records, in lots that are sealed together."""
    held: list[Fields] = []
    size = 0
    for record in records:
        if held and abs(record[0] - held[0][0]) >= FRAME_NANOSECONDS:
            yield held
            held, size = [], 0
        held.append(record)
        size += size_of(record[4], record[5])
        if size >= FRAME_BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held


def unpacked(content: bytes) -> Iterator[Record]:
    """The records in what `packed` wrote, one behind the other. Raises ValueError."""
    position = 0
    while position < len(content):
        try:
            lengths = _HEAD.unpack_from(content, position)
        except struct.error:
            raise ValueError("the lengths of a record are not whole") from None
        position += _HEAD.size
        parts = []
        for length in lengths:
            parts.append(content[position : position + length])
            position += length
        if position > len(content):
            raise ValueError("a record is not whole")
        told, body, answer = parts
        yield Record(*_checked(orjson.loads(told)), body, answer)


def _checked(told: Any) -> tuple[int, str, str, str | None]:
    """What is told of a record, if it can be shown: who has the public key can seal anything."""
    if not isinstance(told, list) or len(told) != 4:
        raise ValueError("what is told of a record is not four things")
    time_ns, request_id, model, key = told
    if type(time_ns) is not int or time_ns < 0:
        raise ValueError("the time of a record is no time")
    if not (isinstance(request_id, str) and isinstance(model, str) and isinstance(key, str | None)):
        raise ValueError("the names in a record are not text")
    if not _MODEL.fullmatch(model):
        raise ValueError("the model of a record is not NAME/VERSION")
    return time_ns, request_id, model, key


def line(record: Record) -> bytes:
    """A record as one line of JSON; request and answer stand in it byte by byte as they were.

    What is no JSON is given in base64, as the only member of an object. Characters that command a
    terminal are escaped, wherever they are.
    """
    moment = datetime.fromtimestamp(record.time_ns / 1e9, UTC)
    name, _, version = record.model.rpartition("/")
    told: dict[str, Any] = {
        "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "request_id": record.request_id,
        "model": name,
        "version": int(version),
        "key": record.key,
    }
    head, body, answer = orjson.dumps(told), _shown(record.body), _shown(record.answer)
    shown = head[:-1] + b',"request":' + body + b',"answer":' + answer + b"}\n"
    return _COMMANDS.sub(_escaped, shown)


def _escaped(found: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(found[0].decode())


def _shown(body: bytes) -> bytes:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return orjson.dumps({"base64": base64.b64encode(body).decode()})
    # A line end between two tokens is as good as a space; within a text JSON has none.
    return body.translate(_LINE_ENDS).strip()
