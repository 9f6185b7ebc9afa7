"""What is wrong with rows that were not accepted: every problem, with its place and its remedy."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import islice
from typing import Any

from app.errors import SHOWN_PROBLEMS, InvalidInput, Problem
from app.schema import MAX_MAGNITUDE, Feature, Schema

_SHOWN_TEXT = 80
_SHOWN_NAMES = 12


def diagnose(schema: Schema, rows: Sequence[Any]) -> InvalidInput:
    """The error that says all that is wrong with these rows; at least one thing must be."""
    found = _problems(schema, rows)
    shown = list(islice(found, SHOWN_PROBLEMS))
    total = len(shown) + sum(1 for _ in found)
    return InvalidInput(_summary(shown, total, len(rows)), shown, total)


def nearest(name: str, known: Sequence[str]) -> str:
    """Half a sentence that offers the known name most like this one, or lists what is known."""
    close = get_close_matches(name, known, 1, 0.6) if len(name) <= _SHOWN_TEXT else []
    if close:
        return f"did you mean {close[0]!r}?"
    return f"the known ones are {enumerated(known)}"


def enumerated(names: Sequence[str]) -> str:
    """Names for a sentence, the first dozen of them."""
    listed = ", ".join(repr(name) for name in names[:_SHOWN_NAMES])
    more = len(names) - _SHOWN_NAMES
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


def _summary(shown: Sequence[Problem], total: int, rows: int) -> str:
    if total == 1:
        only = shown[0]
        place = f"row {only.row}" if only.feature is None else f"row {only.row}, {only.feature!r}"
        return f"{place}: {only.problem}"
    text = f"{total} problems in {rows} row{'s' if rows > 1 else ''}"
    if total > len(shown):
        return f"{text}: the first {len(shown)} are in details, {total - len(shown)} more are not"
    return f"{text}: see details"


def _problems(schema: Schema, rows: Sequence[Any]) -> Iterator[Problem]:
    for index, row in enumerate(rows):
        if isinstance(row, dict):
            yield from _object_problems(schema, index, row)
        elif isinstance(row, list):
            yield from _list_problems(schema, index, row)
        elif len(schema.features) == 1:
            yield from _value_problems(schema.features[0], index, row)
        else:
            expected = f"a list of {len(schema.features)} values or an object by feature name"
            yield Problem(index, None, f"a row must be {expected}", shortened(row))


def _object_problems(schema: Schema, index: int, row: dict[str, Any]) -> Iterator[Problem]:
    absent = [feature for feature in schema.features if feature.name not in row]
    for name, value in row.items():
        if name not in schema.known:
            hint = nearest(name, [feature.name for feature in absent] or schema.names)
            yield Problem(
                index,
                shortened(name),
                f"is not a feature of this model: {hint}",
                shortened(value),
            )
    for feature in schema.features:
        if feature.name in row:
            yield from _value_problems(feature, index, row[feature.name])
        else:
            how = "send null if it is not known" if feature.missing else "it is required"
            yield Problem(index, feature.name, f"is missing: {how}")


def _list_problems(schema: Schema, index: int, row: list[Any]) -> Iterator[Problem]:
    width = len(schema.features)
    if len(row) < width:
        absent = schema.names[len(row)]
        text = f"the row has {len(row)} of {width} values: this is the first that it lacks"
        yield Problem(index, absent, text, len(row))
    elif len(row) > width:
        last = schema.names[-1]
        text = f"the row has {len(row)} values, the model takes {width}, the last is {last!r}"
        yield Problem(index, None, text, len(row))
    for feature, value in zip(schema.features, row, strict=False):
        yield from _value_problems(feature, index, value)


def _value_problems(feature: Feature, index: int, value: Any) -> Iterator[Problem]:
    wrong = _wrong(feature, value)
    if wrong is not None:
        yield Problem(index, feature.name, wrong, shortened(value))


def _wrong(feature: Feature, value: Any) -> str | None:
    if value is None:
        if feature.missing:
            return None
        return "must not be null: training saw no missing value of it"
    if feature.kind == "number":
        return _wrong_number(value)
    if feature.kind == "boolean":
        return None if isinstance(value, bool) else "must be true or false"
    if not isinstance(value, str):
        return f"must be text, one of {enumerated(feature.categories)}"
    if value in feature.codes:
        return None
    return f"is not a known category: {_category_hint(value, feature)}"


def _wrong_number(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        quoted = isinstance(value, str) and _reads_as_number(value)
        return "must be a number, without quotes" if quoted else "must be a number"
    if abs(value) > MAX_MAGNITUDE:
        return f"must be between -{MAX_MAGNITUDE:g} and {MAX_MAGNITUDE:g}"
    return None


def _reads_as_number(text: str) -> bool:
    try:
        float(text[:_SHOWN_TEXT])
    except ValueError:
        return False
    return True


def _category_hint(value: str, feature: Feature) -> str:
    close = (
        get_close_matches(value, feature.categories, 1, 0.6) if len(value) <= _SHOWN_TEXT else []
    )
    known = f"the known ones are {', '.join(map(repr, feature.categories))}"
    return f"did you mean {close[0]!r}? {known}" if close else known
