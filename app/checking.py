"""JSON values to checked columns: the one place where input is validated.

What is right is accepted by whole columns, as fast as it can be told. Only what is not goes through
`app.diagnosis`, value by value, to say all that is wrong with it.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.diagnosis import diagnose
from app.schema import MAX_MAGNITUDE, Feature, Schema

Matrix = NDArray[np.float64]

_NUMBERS = frozenset({int, float})
_NUMBERS_OR_NULL = _NUMBERS | {type(None)}
_CATEGORIES = frozenset({str, type(None)})
_BOOLEANS = frozenset({bool, type(None)})


def to_matrix(schema: Schema, rows: Sequence[Any], only_numbers: bool = False) -> Matrix:
    """Check rows as they came out of JSON and make the model's matrix of them.

    Args:
        schema: of the model, p features.
        rows: n of them, each a list of p values in schema order, an object by feature name, or,
            where p is 1, the value itself.
        only_numbers: whether it is known that nothing in them is text, a boolean or null.

    Returns:
        float64, shape (n, p): numbers as they are, booleans 0 or 1, a category its place in the
        feature's list, a missing value NaN.

    Raises:
        InvalidInput: with every problem of every row.
    """
    lists = _as_lists(schema, rows)
    matrix = None if lists is None else _accept(schema, lists, only_numbers)
    if matrix is None:
        raise diagnose(schema, rows)
    return matrix


def _as_lists(schema: Schema, rows: Sequence[Any]) -> Sequence[Sequence[Any]] | None:
    """The rows as sequences of p values each; None if any has another shape."""
    width = len(schema.features)
    kinds = set(map(type, rows))
    if not kinds <= {list, dict}:
        if width != 1:
            return None
        rows = [row if isinstance(row, list | dict) else [row] for row in rows]
    if set(map(len, rows)) != {width}:
        return None
    if dict not in kinds:
        return rows
    pick = _picker(list(schema.names))
    try:
        return [pick(row) if isinstance(row, dict) else row for row in rows]
    except KeyError:
        return None


def _picker(names: list[str]) -> Callable[[dict[str, Any]], Sequence[Any]]:
    """What takes these values out of an object, in this order."""
    if len(names) == 1:
        return lambda row: (row[names[0]],)
    return itemgetter(*names)


def _accept(schema: Schema, rows: Sequence[Sequence[Any]], only_numbers: bool) -> Matrix | None:
    """The matrix, or None if any value is not what its feature takes."""
    if schema.plain:
        if not (only_numbers or _NUMBERS.issuperset(map(type, chain.from_iterable(rows)))):
            return None
        return _accept_numbers(rows, len(schema.features))
    matrix = np.empty((len(rows), len(schema.features)))
    for place, (feature, values) in enumerate(
        zip(schema.features, zip(*rows, strict=True), strict=True)
    ):
        column = _accept_column(feature, values)
        if column is None:
            return None
        matrix[:, place] = column
    return matrix


def _accept_numbers(rows: Sequence[Sequence[Any]], width: int) -> Matrix | None:
    count = len(rows) * width
    try:
        flat = np.fromiter(chain.from_iterable(rows), np.float64, count)
    except (TypeError, ValueError):  # a list or an object in the place of a number
        return None
    return _within(flat.reshape(len(rows), width), missing=False)


def _accept_column(feature: Feature, values: Iterable[Any]) -> Matrix | None:
    kinds = set(map(type, values))
    if feature.kind == "number":
        if not kinds <= (_NUMBERS_OR_NULL if feature.missing else _NUMBERS):
            return None
        # NumPy reads None as NaN
        return _within(np.array(values, dtype=np.float64), missing=feature.missing)
    if not kinds <= (_CATEGORIES if feature.kind == "category" else _BOOLEANS):
        return None
    codes = feature.codes
    try:
        return np.array([codes[value] for value in values])
    except KeyError:
        return None


def _within(numbers: Matrix, *, missing: bool) -> Matrix | None:
    sizes = np.abs(numbers)
    # Nothing compares with NaN: the first form takes it, the second does not.
    right = not (sizes > MAX_MAGNITUDE).any() if missing else (sizes <= MAX_MAGNITUDE).all()
    return numbers if right else None
