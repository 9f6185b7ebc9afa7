"""One column of a table: what kind of thing it holds, and its values as float64."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.errors import DataError
from app.schema import MAX_MAGNITUDE
from app.training.dataset import EXACT_INTEGERS

Content = Literal["number", "boolean", "text", "date", "other"]

_SECONDS: Mapping[str, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}

_DAY, _MONTH = r"(0?[1-9]|[12]\d|3[01])", r"(0?[1-9]|1[0-2])"
_WORD = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_YEAR, _SEP = r"(\d{4}|\d{2})", "[-/.]"
_TIME = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[ap]\.?m\.?)?( ?(z|utc|gmt|[+-]\d{2}:?\d{2}))?"
_DATES = (
    rf"\d{{4}}{_SEP}{_MONTH}({_SEP}{_DAY})?",
    rf"{_DAY}{_SEP}{_MONTH}{_SEP}{_YEAR}",
    rf"{_MONTH}{_SEP}{_DAY}{_SEP}{_YEAR}",
    rf"{_DAY}[-. ]+{_WORD}[-, ]+{_YEAR}",
    rf"{_WORD} {_DAY},? {_YEAR}",
)
_DATE = rf"(?i)^(({'|'.join(_DATES)})([t ]{_TIME})?|{_TIME})$"
"""Common notations of a date, with or without a time, and of a time of day."""


@dataclass(frozen=True)
class Column:
    """A column of n values.

    Attributes:
        name: as in the header.
        content: what it holds: dates also where they are written as text.
        type: the Arrow type, for messages.
        values: float64, shape (n,): numbers as they are, booleans 0 or 1, for text and dates the
            place in `texts`; NaN where missing. All NaN for what is neither.
        texts: the distinct texts, in order of appearance, as an Arrow array; None for the rest.
        unit: that the values are in, where the type says so.
        integers: as an Arrow array, where float64 rounds some; None for the rest.
    """

    name: str
    content: Content
    type: str
    values: NDArray[np.float64]
    texts: Any = None
    unit: str | None = None
    integers: Any = None

    @cached_property
    def known(self) -> NDArray[np.float64]:
        """The values that are not missing."""
        return self.values[~np.isnan(self.values)]

    @cached_property
    def distinct(self) -> int:
        """How many different values there are, missing ones aside."""
        if self.integers is not None:
            return int(pc.count_distinct(self.integers).as_py())
        return len(self.texts) if self.texts is not None else len(np.unique(self.known))

    @property
    def has_missing(self) -> bool:
        """Whether any value is missing."""
        return len(self.known) < len(self.values)

    def example(self) -> str:
        """One of its texts, for a message."""
        return quoted(self.texts[0].as_py())

    def sorted_texts(self) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """The categories in order, and the values as places in them."""
        texts = self.texts.to_pylist()
        order = sorted(range(len(texts)), key=texts.__getitem__)
        place = np.empty(len(texts) + 1)
        place[order] = np.arange(len(texts))
        place[-1] = np.nan
        codes = np.where(np.isnan(self.values), len(texts), self.values).astype(np.intp)
        return tuple(texts[index] for index in order), place[codes]


def read_column(name: str, array: Any, places: NDArray[np.intp] | None = None) -> Column:
    """Make a column of an Arrow array.

    Args:
        name: as in the header.
        array: the values.
        places: of these values in the table's column, from 0, where some were left out before.

    Raises:
        DataError: a number is infinite or beyond `MAX_MAGNITUDE`, naming column and row.
    """
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    kind = array.type
    label = str(kind)
    if _is_text(kind):
        return _text_column(name, array, label)
    if pa.types.is_boolean(kind):
        return Column(name, "boolean", label, _floats(array))
    if pa.types.is_duration(kind):
        seconds = _floats(array.cast(pa.int64())) * _SECONDS[kind.unit]
        return Column(name, "number", label, seconds, unit="s")
    if pa.types.is_temporal(kind):
        return _text_column(name, array.cast(pa.string()), label)
    if _is_number(kind):
        values = _checked(name, _floats(array), places)
        rounded = _is_integer(kind) and (np.abs(values) > EXACT_INTEGERS).any()
        return Column(name, "number", label, values, integers=array if rounded else None)
    return Column(name, "other", label, np.full(len(array), np.nan))


def quoted(text: str) -> str:
    """A text of a table for a message, shortened."""
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


def _is_text(kind: Any) -> bool:
    return any(
        test(kind)
        for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    )


def _is_number(kind: Any) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    return any(test(kind) for test in tests)


def _is_integer(kind: Any) -> bool:
    """Also as warehouses write integers, as decimals of 38 digits with none after the point."""
    return bool(pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale <= 0))


def _floats(array: Any) -> NDArray[np.float64]:
    """Missing values become NaN; integers beyond 2^53 are rounded."""
    if pa.types.is_decimal(array.type):
        # Arrow multiplies by a power of ten and rounds twice: 4.35 would not be what JSON says.
        array = array.cast(pa.string())
    floats = pc.cast(array, pa.float64(), safe=False)
    return np.array(floats.to_numpy(zero_copy_only=False), dtype=np.float64)


def _checked(
    name: str, values: NDArray[np.float64], places: NDArray[np.intp] | None
) -> NDArray[np.float64]:
    beyond = np.abs(values) > MAX_MAGNITUDE
    if beyond.any():
        first = int(beyond.argmax())
        row = (first if places is None else int(places[first])) + 1
        raise DataError(
            f"row {row} of column {name!r} is {values[first]:g}: use numbers between "
            f"-{MAX_MAGNITUDE:g} and {MAX_MAGNITUDE:g}, or leave the value empty"
        )
    return values


def _text_column(name: str, array: Any, label: str) -> Column:
    encoded = array.cast(pa.large_string()).combine_chunks().dictionary_encode()
    texts = encoded.dictionary
    dates = len(texts) > 0 and pc.all(pc.match_substring_regex(texts, _DATE)).as_py()
    is_date = dates or not re.match("(large_)?string", label)
    return Column(name, "date" if is_date else "text", label, _floats(encoded.indices), texts)
