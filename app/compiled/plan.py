"""A model's schema in the form that the compiled code reads rows by."""

import ctypes
import threading
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from app.compiled.library import Layout, Library, library
from app.schema import KINDS, MAX_MAGNITUDE, Schema

Matrix = NDArray[np.float64]

BRIEF_VALUES = 1 << 12
"""Bodies with room for no more values are read into memory that stays: 32 KiB for each thread."""


class Plan:
    """Reads the rows of requests for one model. For any number of threads.

    Args:
        schema: of the model, p features.
        compiled: what reads.
    """

    def __init__(self, schema: Schema, compiled: Library) -> None:
        self._compiled = compiled
        self._width = len(schema.features)
        self._arrays = _arrays(schema)
        pointers = {name: array.ctypes.data for name, array in self._arrays.items()}
        self._layout = Layout(
            features=self._width,
            words=len(self._arrays["codes"]),
            mask=len(self._arrays["slots"]) - 1,
            largest=MAX_MAGNITUDE,
            **pointers,
        )
        self._address = ctypes.addressof(self._layout)
        compiled.index_words(self._address)
        self._kept = _Kept()

    def read(self, body: bytes, key: bytes, max_rows: int) -> list[float] | Matrix | None:
        """Read ``{key: row}`` or ``{key: [row, ...]}``.

        Args:
            body: a JSON document.
            key: the only one of its object, in quotes.
            max_rows: that may be read.

        Returns:
            For rows a matrix as `app.checking.to_matrix` makes it, float64 of shape (n, p); for a
            row that stands alone its p numbers. None for a body that is not plainly right: it may
            be wrong, or right in a way that only `app.checking` understands.
        """
        length, width = len(body), self._width
        # A value and the mark behind it take two bytes at least.
        room = min(length // (2 * width), max_rows)
        if room * width > BRIEF_VALUES:
            return self._read_long(body, key, room)
        kept = self._kept
        rows = self._compiled.decode_brief(self._address, body, length, key, kept.address, room)
        if rows < 0:
            alone: list[float] = kept.values[:width].tolist()
            return alone
        return kept.values[: rows * width].reshape(rows, width).copy() if rows else None

    def _read_long(self, body: bytes, key: bytes, room: int) -> list[float] | Matrix | None:
        matrix = np.empty((room, self._width))
        place = matrix.ctypes.data
        rows = self._compiled.decode_long(self._address, body, len(body), key, place, room)
        if rows < 0:
            alone: list[float] = matrix[0].tolist()
            return alone
        return matrix[:rows] if rows else None


class _Kept(threading.local):
    """Memory that one thread reads into again and again."""

    def __init__(self) -> None:
        self.values = np.empty(BRIEF_VALUES)
        self.address = self.values.ctypes.data


def plan_for(schema: Schema) -> Plan | None:
    """The plan of a schema; None where the compiled code was not built."""
    compiled = library()
    return None if compiled is None else Plan(schema, compiled)


def _arrays(schema: Schema) -> dict[str, NDArray[np.generic]]:
    """What the pointers of the plan lead to, by their names."""
    words = [(len(schema.features), name, 0.0) for name in schema.names]
    for number, feature in enumerate(schema.features):
        words += [(number, text, float(code)) for code, text in enumerate(feature.categories)]
    texts = [text.encode() for _, text, _ in words]
    lengths = [len(text) for text in texts]
    return {
        "kinds": np.array([KINDS.index(f.kind) for f in schema.features], dtype=np.uint8),
        "missing": np.array([f.missing for f in schema.features], dtype=np.uint8),
        "text": np.frombuffer(b"".join(texts) or b"\0", dtype=np.uint8),
        "starts": np.array([0, *accumulate(lengths)][: len(words)], dtype=np.int64),
        "lengths": np.array(lengths, dtype=np.int64),
        "owners": np.array([owner for owner, _, _ in words], dtype=np.int64),
        "codes": np.array([code for _, _, code in words], dtype=np.float64),
        # At most half full, so that a search is short
        "slots": np.full(1 << (2 * len(words)).bit_length(), -1, dtype=np.int32),
    }
