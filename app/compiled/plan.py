"""A model in the form that the compiled code reads its rows by, and answers them."""

import ctypes
import threading
from itertools import accumulate
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from app.compiled.library import Layout, Library, Terms, library
from app.linear import Choice, Linear
from app.schema import KINDS, MAX_MAGNITUDE, Schema

Array = NDArray[np.float64]

KEPT_VALUES = 1 << 12
"""What needs no more is read into memory that stays, 32 KiB for each thread."""

MAX_BYTES = (1 << 31) - 1
"""Longer bodies are left to Python: the compiled code counts in 32 bits."""

_DECODE, _ANSWER = 0, 1


class _Kept(threading.local):
    """Memory that one thread reads into again and again."""

    def __init__(self) -> None:
        self.memory = np.empty(KEPT_VALUES)
        self.place = ctypes.byref((ctypes.c_double * KEPT_VALUES).from_buffer(self.memory.data))


class Plan:
    """Reads the rows of requests for one model. For any number of threads.

    Args:
        schema: of the model, p features.
        compiled: what reads.
        linear: the model, if it is a linear one.
    """

    _kept: ClassVar = _Kept()  # nothing stays in it after a call

    def __init__(self, schema: Schema, compiled: Library, linear: Linear | None = None) -> None:
        self._brief, self._long = compiled.brief, compiled.long
        self._width = len(schema.features)
        self._arrays = _arrays(schema)
        self._layout = Layout(
            features=self._width,
            words=len(self._arrays["codes"]),
            mask=len(self._arrays["slots"]) - 1,
            largest=MAX_MAGNITUDE,
            **_pointers(self._arrays),
        )
        self._plan = ctypes.byref(self._layout)
        compiled.index_words(ctypes.addressof(self._layout))
        if linear is not None:
            self._contributions = _contributions(linear)
            self._terms = Terms(linear.intercept, **_pointers(self._contributions))
            self._layout.terms = ctypes.addressof(self._terms)

    def read(self, body: bytes, key: bytes, max_rows: int) -> list[float] | Array | None:
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
        rows, memory, _ = self._call(_DECODE, body, key, max_rows)
        if rows < 0:
            row: list[float] = memory[: self._width].tolist()
            return row
        if not rows:
            return None
        return memory[: rows * self._width].reshape(rows, self._width).copy()

    def answer(self, body: bytes, key: bytes, max_rows: int) -> float | Array | None:
        """Read likewise, and predict by the linear model.

        Returns:
            For n rows their answers, float64 of shape (n,), not yet known to be finite; for a row
            that stands alone its answer. None as by `read`.
        """
        rows, memory, place = self._call(_ANSWER, body, key, max_rows)
        if rows < 0:
            return memory.item(place)
        return memory[place : place + rows].copy() if rows else None

    def _call(self, which: int, body: bytes, key: bytes, max_rows: int) -> tuple[int, Array, int]:
        """Rows that were read, the memory they are in, and where in it their answers begin."""
        length, width = len(body), self._width
        if length > MAX_BYTES:
            return 0, self._kept.memory, 0
        # A value and the mark behind it take two bytes at least.
        room = min(length // (2 * width), max_rows)
        size = room * width
        if size + room > KEPT_VALUES:
            memory = np.empty(size + room)
            place = ctypes.c_void_p(memory.ctypes.data)
            return self._long[which](self._plan, body, length, key, place, room), memory, size
        kept = self._kept
        rows = self._brief[which](self._plan, body, length, key, kept.place, room)
        return rows, kept.memory, size


def plan_for(schema: Schema, linear: Linear | None = None) -> Plan | None:
    """The plan of a model; None where the compiled code was not built."""
    compiled = library()
    return None if compiled is None else Plan(schema, compiled, linear)


def _pointers(arrays: dict[str, NDArray[np.generic]]) -> dict[str, int]:
    return {name: array.ctypes.data for name, array in arrays.items()}


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


def _contributions(linear: Linear) -> dict[str, NDArray[np.generic]]:
    """What the pointers of the terms lead to."""
    factors, missing, firsts, contributions = [], [], [], [0.0]
    for term in linear.terms:
        if isinstance(term, Choice):
            factors.append(0.0)
            missing.append(term.values[-1])
            firsts.append(len(contributions))
            contributions += term.values
        else:
            factors.append(term.coefficient)
            missing.append(np.nan if term.missing is None else term.missing)
            firsts.append(-1)
    return {
        "factors": np.array(factors),
        "missing": np.array(missing),
        "firsts": np.array(firsts, dtype=np.int64),
        "contributions": np.array(contributions),
    }
