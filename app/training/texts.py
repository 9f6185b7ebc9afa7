"""Columns of text as CSV has them, made numbers, booleans, or text with missing values.

A column is of numbers, or of booleans, if all its values are, but for the missing ones. What stands
for a missing value depends on that: beside numbers, ``none`` can mean nothing else, whereas in a
column of words it is as good a category as any (a guarantor: none) and stays one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.errors import DataError
from app.training.dataset import EXACT_INTEGERS

MISSING_WORDS = ("", "NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "?")
"""Missing in any column."""

MISSING_NUMBERS = (
    *MISSING_WORDS,
    *("na", "n/a", "NAN", "Nan", "Null", "None", "none", "NONE", "-", "--", "."),
)
"""Missing in a column of numbers or booleans."""

_TRUE = ("true", "True", "TRUE")
_FALSE = ("false", "False", "FALSE")
_DECIMAL_POINT = r"(?i)^[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf(inity)?|nan)$"
_LEADING_ZERO = r"^[+-]?0\d"
_DIGITS = 38
_INTEGER = rf"^[+-]?\d{{1,{_DIGITS}}}$"
_DECIMAL_COMMA = r"^[+-]?(\d+|\d*,\d+)([eE][+-]?\d+)?$"
_THOUSANDS = r"^[+-]?[1-9]\d{0,2},\d{3}$"
_BELOW_THOUSAND = r"^[+-]?\d{1,3}$"


def typed_columns(
    texts: Mapping[str, Any], *, comma_is_free: bool
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Columns of text by name, made double, int64, decimal of whole numbers, bool or string.

    Args:
        texts: Arrow string arrays by name.
        comma_is_free: whether the delimiter is another character, so that ``1,5`` can be a number.

    Returns:
        The columns, and sentences on how they were read.

    Raises:
        DataError: decimal commas and points are mixed, so that ``1.234`` could be either; or commas
            group thousands in all likelihood, as where ``1,234`` stands beside ``567``.
    """
    texts = {name: pc.utf8_trim_whitespace(column) for name, column in texts.items()}
    columns = {name: _typed(column) for name, column in texts.items()}
    notes = tuple(_about_zeros(texts, columns))
    if not comma_is_free:
        return columns, notes
    commas = {
        name: number
        for name, column in columns.items()
        if pa.types.is_string(column.type) and (number := _with_commas(column)) is not None
    }
    if not commas:
        return columns, notes
    _refuse_points(texts, columns, next(iter(commas)))
    _refuse_thousands({name: _without(texts[name], MISSING_NUMBERS) for name in commas})
    return columns | commas, (*notes, "numbers are written with a decimal comma")


def are_numbers(texts: Any, decimal_comma: bool) -> NDArray[np.bool_]:
    """For each text whether it is written like a number."""
    number = pc.match_substring_regex(texts, _DECIMAL_COMMA if decimal_comma else _DECIMAL_POINT)
    found: NDArray[np.bool_] = number.to_numpy(zero_copy_only=False)
    return found


def are_missing(texts: Any) -> NDArray[np.bool_]:
    """For each text whether it stands for a missing value beside numbers."""
    missing = pc.is_in(texts, pa.array(MISSING_NUMBERS, texts.type))
    found: NDArray[np.bool_] = missing.to_numpy(zero_copy_only=False)
    return found


def _typed(text: Any) -> Any:
    known = _without(text, MISSING_NUMBERS)
    number = _cast(known)
    if number is not None:
        return _exact(known, number)
    if pc.all(pc.is_in(known, pa.array([*_TRUE, *_FALSE, None]))).as_py():
        return pc.if_else(pc.is_valid(known), pc.is_in(known, pa.array(_TRUE)), None)
    return _without(text, MISSING_WORDS)


def _without(text: Any, words: tuple[str, ...]) -> Any:
    return pc.if_else(pc.is_in(text, pa.array(words)), None, text)


def _cast(text: Any) -> Any:
    try:
        return pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        return None


def _exact(text: Any, number: Any) -> Any:
    """The same as integers where float64 rounds some, as it does to long identifiers."""
    if not pc.any(pc.greater(pc.abs(number), EXACT_INTEGERS)).as_py():
        return number
    try:
        return pc.cast(text, pa.int64())
    except pa.ArrowInvalid:
        plain = pc.all(pc.match_substring_regex(text, _INTEGER)).as_py()
        return pc.cast(text, pa.decimal128(_DIGITS, 0)) if plain else number


def _about_zeros(texts: Mapping[str, Any], columns: Mapping[str, Any]) -> Iterator[str]:
    """On numbers that are written like codes: 01234 is a place, and no less than 98765."""
    for name, column in columns.items():
        is_text = pa.types.is_string(column.type) or pa.types.is_boolean(column.type)
        if not is_text and pc.any(pc.match_substring_regex(texts[name], _LEADING_ZERO)).as_py():
            yield (
                f"{name!r} is read as numbers, without the zeros that some begin with: "
                "if they are codes, put a letter before each to make a category of them"
            )


def _with_commas(text: Any) -> Any:
    known = _without(text, MISSING_NUMBERS)
    if not pc.all(pc.match_substring_regex(known, _DECIMAL_COMMA)).as_py():
        return None
    return _cast(pc.replace_substring(known, ",", "."))


def _refuse_points(texts: Mapping[str, Any], columns: Mapping[str, Any], comma: str) -> None:
    for name, column in columns.items():
        if not pa.types.is_floating(column.type):
            continue
        known = _without(texts[name], MISSING_NUMBERS)
        if pc.any(pc.match_substring(known, ".")).as_py():
            raise DataError(
                f"has decimal commas in {comma!r} and decimal points in {name!r}: "
                "write all numbers one way"
            )


def _refuse_thousands(texts: Mapping[str, Any]) -> None:
    """Refuse columns with commas where each could group thousands, and in one of them does.

    Who writes three decimals writes them for 567 as well, and who writes no needless zeros has
    other numbers of decimals somewhere. Read as decimals, 1,234 would be less than 567.
    """
    grouped = {name: pc.match_substring_regex(text, _THOUSANDS) for name, text in texts.items()}
    for name, text in texts.items():
        with_comma = pc.match_substring(text, ",")
        if pc.any(pc.and_not(with_comma, grouped[name])).as_py():
            return
    for name, text in texts.items():
        below = pc.filter(text, pc.match_substring_regex(text, _BELOW_THOUSAND))
        if len(below) and len(below) + pc.sum(grouped[name]).as_py() == pc.count(text).as_py():
            above = pc.filter(text, grouped[name])
            raise DataError(
                f"commas in {name!r} seem to group thousands, {above[0].as_py()!r} stands beside "
                f"{below[0].as_py()!r}: write numbers without them, and decimals with a point"
            )
