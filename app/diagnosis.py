"""What is wrong with rows that were not accepted: every problem, with its place and its remedy.

All problems are counted, those of lists by columns, in time that grows with what was sent and with
nothing else. Only those that are shown are looked for and put into words: to look for the name that
was meant is far too slow to be done for each of a million wrong values.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
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
_TOGETHER = 256
"""Rows that are counted before it is known whether there is anything to tell of them."""

_NUMBERS = frozenset({int, float})

Finding = Callable[[], Problem]
"""A problem that was found and is put into words when this is called."""


def diagnose(schema: Schema, rows: Sequence[Any]) -> InvalidInput:
    """The error that says all that is wrong with these rows; at least one thing must be."""
    if not rows:
        return InvalidInput("there is no row: send at least one")
    shown: list[Problem] = []
    total = 0
    for begin in range(0, len(rows), _TOGETHER):
        some = rows[begin : begin + _TOGETHER]
        count = count_problems(schema, some)
        if count and len(shown) < SHOWN_PROBLEMS:
            found = _findings(schema, some, begin)
            shown += [describe() for describe in islice(found, SHOWN_PROBLEMS - len(shown))]
        total += count
    return InvalidInput(_summary(shown, total, len(rows)), shown, total)


def count_problems(schema: Schema, rows: Sequence[Any]) -> int:
    """How many problems these rows have."""
    features, total = schema.features, 0
    by_width: defaultdict[int, list[list[Any]]] = defaultdict(list)
    for row in rows:
        if isinstance(row, dict):
            total += _count_in_object(schema.by_name, row)
        elif isinstance(row, list):
            by_width[len(row)].append(row)
        else:
            total += len(features) > 1 or not _fits(features[0], row)
    for width, lists in by_width.items():
        total += 0 if width == len(features) else len(lists)
        total += sum(map(_count_in_column, features, zip(*lists, strict=True)))
    return total


def _count_in_object(by_name: Mapping[str, Feature], row: dict[str, Any]) -> int:
    count = len(by_name)  # all of them are missing
    for name, value in row.items():
        feature = by_name.get(name)
        if feature is None:
            count += 1
        elif _fits(feature, value):
            count -= 1
    return count


def _count_in_column(feature: Feature, values: Sequence[Any]) -> int:
    is_numbers = feature.kind == "number" and _NUMBERS.issuperset(map(type, values))
    if is_numbers and sum(map(abs, values)) <= MAX_MAGNITUDE:
        return 0  # each is within the limit where all together are; with NaN nothing is
    return sum(not _fits(feature, value) for value in values)


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
        return f"an object with {len(value)} key{'' if len(value) == 1 else 's'}"
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


def _findings(schema: Schema, rows: Sequence[Any], begin: int) -> Iterator[Finding]:
    for index, row in enumerate(rows, begin):
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
        if name not in schema.by_name:
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
