"""The same decisions as the service makes, made slowly and plainly, to compare it with."""

import json
import math
from typing import Any

from app.schema import Feature, Schema

MAX_DEPTH = 1024
MAX_MAGNITUDE = 1e100

Answer = int | tuple[bool, list[list[float]]]
"""The status of a refusal; else whether one row stands alone, and the numbers of all rows."""


def answer(schema: Schema, body: bytes, max_rows: int) -> Answer:
    """What becomes of the body of a prediction request, up to the model."""
    try:
        content = decode(body)
    except ValueError:
        return 400
    if not isinstance(content, dict) or set(content) != {"x"} or content["x"] == []:
        return 400
    single, rows = _rows(content["x"], len(schema.features))
    if len(rows) > max_rows:
        return 413
    if wrong_places(schema, rows):
        return 400
    return single, [numbers(schema, row) for row in rows]


def _rows(x: Any, width: int) -> tuple[bool, list[Any]]:
    """Whether it is one row, and all rows."""
    if not isinstance(x, list):
        return True, [x]
    if isinstance(x[0], list | dict) or (width == 1 and len(x) > 1):
        return False, x
    return True, [x]


def decode(body: bytes) -> Any:
    """The value of a JSON document. Raises ValueError for all that must be refused."""
    text = body.decode("utf-8")
    if text.startswith("\ufeff"):
        raise ValueError("a byte order mark")
    if _depth(text) > MAX_DEPTH:
        raise ValueError("too deep")
    value = json.loads(
        text,
        object_pairs_hook=_object,
        parse_float=_float,
        parse_int=_int,
        parse_constant=_constant,
    )
    _refuse_surrogates(value)
    return value


def wrong_places(schema: Schema, rows: list[Any]) -> list[tuple[int, str | None]]:
    """Row and feature of everything that is wrong with these rows, in order."""
    return [(index, name) for index, row in enumerate(rows) for name in _wrong_in(schema, row)]


def _wrong_in(schema: Schema, row: Any) -> list[str | None]:
    if isinstance(row, dict):
        unknown: list[str | None] = [key for key in row if key not in schema.names]
        return unknown + [
            feature.name
            for feature in schema.features
            if feature.name not in row or not fits(feature, row[feature.name])
        ]
    if not isinstance(row, list):
        if len(schema.features) > 1:
            return [None]
        row = [row]
    pairs = zip(schema.features, row, strict=False)
    wrong: list[str | None] = [feature.name for feature, value in pairs if not fits(feature, value)]
    if len(row) < len(schema.features):
        return [schema.names[len(row)], *wrong]
    return [None, *wrong] if len(row) > len(schema.features) else wrong


def fits(feature: Feature, value: Any) -> bool:
    """Whether a feature takes this value."""
    if value is None:
        return feature.missing
    if feature.kind == "boolean":
        return value is True or value is False
    if feature.kind == "category":
        return type(value) is str and value in feature.categories
    return type(value) in (int, float) and -MAX_MAGNITUDE <= value <= MAX_MAGNITUDE


def numbers(schema: Schema, row: Any) -> list[float]:
    """The model's numbers for a row that is right."""
    if isinstance(row, dict):
        row = [row[name] for name in schema.names]
    if not isinstance(row, list):
        row = [row]
    return [_number(feature, value) for feature, value in zip(schema.features, row, strict=True)]


def _number(feature: Feature, value: Any) -> float:
    if value is None:
        return math.nan
    if feature.kind == "category":
        return float(feature.categories.index(value))
    return float(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("beyond float64")
    return value


def _int(text: str) -> int | float:
    value = _float(text)
    exact = int(text)
    return exact if -(2**63) <= exact < 2**64 else value


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _depth(text: str) -> int:
    deepest = depth = 0
    inside = escaped = False
    for character in text:
        if inside:
            inside = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _refuse_surrogates(value: Any) -> None:
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, list):
        for item in value:
            _refuse_surrogates(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            key.encode("utf-8")
            _refuse_surrogates(item)
