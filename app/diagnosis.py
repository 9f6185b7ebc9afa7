"""What is wrong with rows that were not accepted: every problem, with its place and its remedy.

All problems are counted, and only those that are shown are put into words: looking for the name
that was meant is far too slow to be done for each of a million wrong values.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import partial
from itertools import islice
from typing import Any

from app.errors import SHOWN_PROBLEMS, InvalidInput, Problem
from app.schema import MAX_MAGNITUDE, Feature, Schema

_SHOWN_TEXT = 80
_SHOWN_NAMES = 12
_SHOWN_CATEGORIES = 100
_COMPARED = 500

Finding = Callable[[], Problem]
"""A problem that was found and is put into words when this is called."""


def diagnose(schema: Schema, rows: Sequence[Any]) -> InvalidInput:
    """The error that says all that is wrong with these rows; at least one thing must be."""
    if not rows:
        return InvalidInput("there is no row: send at least one")
    found = _findings(schema, rows)
    shown = [describe() for describe in islice(found, SHOWN_PROBLEMS)]
    total = len(shown) + sum(1 for _ in found)
    return InvalidInput(_summary(shown, total, len(rows)), shown, total)


def nearest(name: str, known: Sequence[str]) -> str:
    """Half a sentence that offers the known name most like this one, or lists what is known."""
    close = _closest(name, known)
    return f"did you mean {close!r}?" if close else f"the known ones are {enumerated(known)}"


def enumerated(names: Sequence[str], most: int = _SHOWN_NAMES) -> str:
    """Names for a sentence, the first dozen of them."""
    listed = ", ".join(repr(shortened(name)) for name in names[:most])
    more = len(names) - most
    return f"{listed} and {more} more" if more > 0 else listed


def shortened(value: Any) -> Any:
    """A value for showing: long text is cut, lists and objects are only described."""
    if isinstance(value, str) and len(value) > _SHOWN_TEXT:
        return f"{value[:_SHOWN_TEXT]}... ({len(value)} characters)"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object with {len(value)} keys"
    return value


def _closest(name: str, known: Sequence[str]) -> str | None:
    if len(name) > _SHOWN_TEXT:
        return None
    candidates = [each for each in known[:_COMPARED] if len(each) <= 2 * _SHOWN_TEXT]
    close = get_close_matches(name, candidates, 1, 0.6)
    return close[0] if close else None


def _summary(shown: Sequence[Problem], total: int, rows: int) -> str:
    if total == 1:
        only = shown[0]
        place = f"row {only.row}" if only.feature is None else f"row {only.row}, {only.feature!r}"
        return f"{place}: {only.problem}"
    text = f"{total} problems in {rows} row{'s' if rows > 1 else ''}"
    if total > len(shown):
        return f"{text}: the first {len(shown)} are in details, {total - len(shown)} more are not"
    return f"{text}: see details"


def _findings(schema: Schema, rows: Sequence[Any]) -> Iterator[Finding]:
    for index, row in enumerate(rows):
        if isinstance(row, dict):
            yield from _in_object(schema, index, row)
        elif isinstance(row, list):
            yield from _in_list(schema, index, row)
        elif len(schema.features) == 1:
            yield from _in_value(schema.features[0], index, row)
        else:
            yield partial(_not_a_row, schema, index, row)


def _in_object(schema: Schema, index: int, row: dict[str, Any]) -> Iterator[Finding]:
    for name, value in row.items():
        if name not in schema.known:
            yield partial(_unknown_feature, schema, index, row, name, value)
    for feature in schema.features:
        if feature.name in row:
            yield from _in_value(feature, index, row[feature.name])
        else:
            yield partial(_absent_feature, feature, index)


def _in_list(schema: Schema, index: int, row: list[Any]) -> Iterator[Finding]:
    if len(row) != len(schema.features):
        yield partial(_wrong_width, schema, index, len(row))
    for feature, value in zip(schema.features, row, strict=False):
        yield from _in_value(feature, index, value)


def _in_value(feature: Feature, index: int, value: Any) -> Iterator[Finding]:
    if not _fits(feature, value):
        yield partial(_wrong_value, feature, index, value)


def _fits(feature: Feature, value: Any) -> bool:
    if value is None:
        return feature.missing
    if feature.kind == "boolean":
        return isinstance(value, bool)
    if feature.kind == "category":
        return isinstance(value, str) and value in feature.codes
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= MAX_MAGNITUDE or (feature.missing and math.isnan(value))


def _not_a_row(schema: Schema, index: int, row: Any) -> Problem:
    expected = f"a list of {len(schema.features)} values or an object by feature name"
    return Problem(index, None, f"a row must be {expected}", shortened(row))


def _unknown_feature(
    schema: Schema, index: int, row: dict[str, Any], name: str, value: Any
) -> Problem:
    absent = [known for known in schema.names if known not in row]
    hint = nearest(name, absent or schema.names)
    problem = f"is not a feature of this model: {hint}"
    return Problem(index, shortened(name), problem, shortened(value))


def _absent_feature(feature: Feature, index: int) -> Problem:
    how = "send null if it is not known" if feature.missing else "it is required"
    return Problem(index, feature.name, f"is missing: {how}")


def _wrong_width(schema: Schema, index: int, length: int) -> Problem:
    width = len(schema.features)
    if length < width:
        text = f"the row has {length} of {width} values: this is the first that it lacks"
        return Problem(index, schema.names[length], text, length)
    last = schema.names[-1]
    text = f"the row has {length} values, the model takes {width}, the last is {last!r}"
    return Problem(index, None, text, length)


def _wrong_value(feature: Feature, index: int, value: Any) -> Problem:
    return Problem(index, feature.name, _what_is_wrong(feature, value), shortened(value))


def _what_is_wrong(feature: Feature, value: Any) -> str:
    if value is None:
        return "must not be null: training saw no missing value of it"
    if feature.kind == "number":
        return _what_number(feature, value)
    if feature.kind == "boolean":
        return "must be true, false or null" if feature.missing else "must be true or false"
    known = enumerated(feature.categories, _SHOWN_CATEGORIES)
    if not isinstance(value, str):
        return f"must be text, one of {known}"
    close = _closest(value, feature.categories)
    hint = f"did you mean {close!r}? " if close else ""
    return f"is not a known category: {hint}the known ones are {known}"


def _what_number(feature: Feature, value: Any) -> str:
    if not isinstance(value, bool) and isinstance(value, int | float):
        return f"must be between -{MAX_MAGNITUDE:g} and {MAX_MAGNITUDE:g}"
    if isinstance(value, str) and _reads_as_number(value):
        return "must be a number, without quotes"
    return "must be a number or null" if feature.missing else "must be a number"


def _reads_as_number(text: str) -> bool:
    try:
        return math.isfinite(float(text[:_SHOWN_TEXT]))
    except ValueError:
        return False
