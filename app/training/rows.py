"""Which rows a version was trained on, well enough to find others, too little to prove any.

``rows.bin`` is a bitmap in which each training row, features and target, has set the bit that its
hash names. A new row whose bit is not set was certainly not among them. One whose bit is set was
probably, and is left aside: that costs the comparison about every tenth row of those that are new,
whatever their content.

It must not tell who was in the data. A list of hashes would, to anyone who can guess a row, and a
salt kept beside it would hinder nobody. Here, whatever row is guessed, about a tenth of all rows
that there could be have their bits set as well. Versions of the same rows have the same bitmap, so
that they tell no more together: with a salt for each, every retraining would rule out nine of ten
wrong guesses more. The bitmap of fewer rows is a coarser view of that of more, so that a table
which grows narrows a guess down by no more than its growth.
"""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.training.copies import exact

ROWS_FILE = "rows.bin"

BITS_A_ROW = 8
"""At least; the next power of two of them is taken. A byte or two for each row."""

MAX_BITS: Final = 1 << 26
"""8 MiB, as what serves reads every file of a version. Beyond 8 million rows more bits are set."""

_MIN_BITS = 64


def bitmap(x: NDArray[np.float64], y: NDArray[np.float64]) -> bytes:
    """The bits that n rows set: x of shape (n, p), y of shape (n,).

    Copies of a row set one bit and so count as one row, or else too few bits would be set.
    """
    hashes = np.unique(_hashes(x, y))
    size = min(MAX_BITS, max(_MIN_BITS, 1 << (BITS_A_ROW * len(hashes) - 1).bit_length()))
    bits = np.zeros(size, dtype=bool)
    bits[_places(hashes, size)] = True
    return np.packbits(bits).tobytes()


def unseen(seen: bytes, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """For each of n rows whether it is certainly not among those that made the bitmap."""
    bits = np.unpackbits(np.frombuffer(seen, dtype=np.uint8)).astype(bool)
    found: NDArray[np.bool_] = ~bits[_places(_hashes(x, y), len(bits))]
    return found


def _hashes(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.uint64]:
    rows = exact(x, y)
    hashes = (int.from_bytes(hashlib.blake2b(row, digest_size=8).digest()) for row in rows)
    return np.fromiter(hashes, np.uint64, len(rows))


def _places(hashes: NDArray[np.uint64], size: int) -> NDArray[np.intp]:
    """Each row's bit: the leading bits of its hash, so that halving the bitmap halves the place."""
    return (hashes >> np.uint64(64 - (size.bit_length() - 1))).astype(np.intp)
