"""Mutations without guidance: what can be tried wherever there is a Python."""

import random
from collections.abc import Iterator, Sequence

INTERESTING = (
    b"\x00", b"\xff", b"\r\n", b"\n", b"\r\n\r\n", b" ", b"\t", b"-", b"+", b"_", b"0", b"9" * 30,
    b",", b":", b";", b"[", b"]", b"{", b"}", b'"', b"\\", b"\\u0078", b"\\ud800", b"e999", b"NaN",
    b"null", b"true", b"chunked", b"Content-Length: 1\r\n", b"\x80\x04", b".", b"/", b"%2f", b"..",
)  # fmt: skip


def mutants(pool: Sequence[bytes], draw: random.Random) -> Iterator[bytes]:
    """Endlessly: one of the pool with a byte changed, some left out, repeated, or put in."""
    while True:
        data = bytearray(draw.choice(pool))
        for _ in range(draw.choice((1, 1, 2, 4))):
            place, length = draw.randrange(len(data) + 1), draw.choice((1, 1, 2, 8, 64))
            other = draw.choice(pool)
            start = draw.randrange(len(other) + 1)
            match draw.randrange(6):
                case 0 if place < len(data):
                    data[place] = draw.randrange(256)
                case 1 if place < len(data):
                    data[place] ^= 1 << draw.randrange(8)
                case 2:
                    del data[place : place + length]
                case 3:
                    data[place:place] = data[place : place + length]
                case 4:
                    data[place:place] = other[start : start + length]
                case _:
                    data[place:place] = draw.choice(INTERESTING)
        yield bytes(data)
