"""Tables to train from: columns of one length, or one line that says what is wrong with them."""

import gzip
from collections.abc import Iterator

from app.errors import DataError
from app.training.csv_files import parse_csv

MAX_MESSAGE = 2000


def seeds() -> Iterator[bytes]:
    """Tables in the ways that they are written, and what is taken for one."""
    for comma in (",", ";", "\t", "|"):
        for end in ("\n", "\r\n", "\r"):
            rows = ("a,b,c", "1,x,true", "2.5,y,false", ",,", "1e5,z,true")
            yield end.join(row.replace(",", comma) for row in rows).encode()
    yield b'\xef\xbb\xbf"a ""b""","c\nd"\n1,2\n"3",4\n'
    yield b"a;b\n1,5;2.000,25\n3,5;4\n"
    yield "größe,b\n1,2\n".encode("latin-1")
    yield "a,b\n1,2\n".encode("utf-16")
    yield gzip.compress(b"a,b\n1,2\n", mtime=0)
    for odd in (b"", b"a", b"a,b", b"a,a\n1,2\n", b",\n1,2\n", b"a,b\n1\n", b"a,b\n1,2,3\n"):
        yield odd
    for odd in (b'a,b\n"1,2\n', b"a,b\n1,\x002\n", b"a,b\nnan,inf\n", b"a,b\n" + b"1,2\n" * 100):
        yield odd


def check(data: bytes) -> None:
    """Read it."""
    try:
        columns, notes = parse_csv(data)
    except DataError as error:
        columns, notes = {}, (error.message,)
    assert len({len(column) for column in columns.values()}) <= 1
    assert all("\n" not in note and len(note) < MAX_MESSAGE for note in notes)
