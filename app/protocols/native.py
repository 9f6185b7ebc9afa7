"""The native dialect: ``{"x": row}`` -> ``{"y": value}``, ``{"x": [row, ...]}`` -> a list."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from traceback import clear_frames
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from app.checking import to_matrix
from app.diagnosis import shortened
from app.errors import SHOWN_PROBLEMS, InvalidInput, OrdinateError, Problem, TooLarge
from app.masking import mask_bytes
from app.model import Model
from app.protocols import strict_json
from app.schema import Schema

Matrix = NDArray[np.float64]

_KEY = b'"x"'

BRIEF_BYTES = 1 << 14
"""Whatever is in a body of this size, it is answered in two or three milliseconds."""

_UNFOLDING = threading.Lock()
"""Held while there are Python objects for all that a larger body has.

They take several times its size, and threads that make and look at them at the same time are no
sooner done, as the interpreter works on one at a time. They only need the memory at once, and what
lives on among it keeps most of that from being given back: 60 MB a worker where 20 do.
"""


class TakesLonger(Exception):
    """A body is not plainly right, and too large for what else is to be answered in a moment."""


@dataclass(frozen=True, slots=True)
class Call:
    """Rows to predict.

    Attributes:
        rows: as they came out of JSON.
        single: whether it is one bare row, to be answered by one bare value.
        only_numbers: whether it is known that they hold nothing but numbers, in whatever shape.
    """

    rows: Sequence[Any]
    single: bool
    only_numbers: bool = field(default=False, compare=False)


def answer(model: Model, body: bytes, max_rows: int, *, briefly: bool = False) -> tuple[bytes, int]:
    """Answer a prediction request.

    Args:
        model: to ask.
        body: of the request.
        max_rows: that it may have.
        briefly: whether others wait meanwhile.

    Returns:
        The body of the answer, and how many rows were predicted.

    Raises:
        InvalidInput: it is not JSON, not an object with just ``x``, or a value is not right.
        TooLarge: it has too many rows.
        TakesLonger: others wait, and this is not to be known at once.
    """
    y = model.answer_plain(body, _KEY, max_rows)
    if isinstance(y, float):
        return orjson.dumps({"y": y}), 1
    if y is not None:
        return _encode_several(y), len(y)
    if len(body) > BRIEF_BYTES:
        if briefly:
            raise TakesLonger
        single, matrix = _read_alone(model.schema, body, max_rows)
        return encode(single, model.predict(matrix)), len(matrix)
    call = decode(body, model.schema, max_rows)
    return encode(call.single, model.answer(call.rows, call.only_numbers)), len(call.rows)


def _read_alone(schema: Schema, body: bytes, max_rows: int) -> tuple[bool, Matrix]:
    """Read a large body: whether it is one bare row, and the checked matrix. Raises as `decode`."""
    with _UNFOLDING:
        try:
            return _read(schema, body, max_rows)
        except OrdinateError as error:
            clear_frames(error.__traceback__)  # the objects go now, not when this was answered
            raise


def _read(schema: Schema, body: bytes, max_rows: int) -> tuple[bool, Matrix]:
    call = decode(body, schema, max_rows)
    return call.single, to_matrix(schema, call.rows, call.only_numbers)


def decode(body: bytes, schema: Schema, max_rows: int) -> Call:
    """Read the body of a prediction request for a model with this schema.

    Raises:
        InvalidInput: it is not JSON, or not an object with just ``x``.
        TooLarge: it has more than `max_rows` rows.
    """
    width = len(schema.features)
    content = strict_json.loads(body, max_rows, max_rows * width)
    if not isinstance(content, dict):
        raise InvalidInput('the body must be an object: {"x": ...}')
    _refuse_other_keys(content)
    if "x" not in content:
        raise InvalidInput("""the body has no 'x': send {"x": [...]}""")
    call = _call(content["x"], width, body)
    if len(call.rows) > max_rows:
        raise TooLarge(f"the request has {len(call.rows)} rows, the limit is {max_rows}")
    return call


def _refuse_other_keys(content: dict[str, Any]) -> None:
    others = [key for key in content if key != "x"]
    if not others:
        return
    shown = [
        Problem(None, None, f"unknown key {shortened(key)!r}", shortened(content[key]))
        for key in others[:SHOWN_PROBLEMS]
    ]
    first = f"{shortened(others[0])!r} is not a key of a prediction request: the only one is 'x'"
    more = f"; nor are {len(others) - 1} others" if len(others) > 1 else ""
    raise InvalidInput(first + more, shown, len(others))


def _call(x: Any, width: int, body: bytes) -> Call:
    """Tell one row from several.

    A list is several rows when it begins with a list or an object. Where the model has one feature
    a list of two or more bare values is several rows too; a list of one is always one row.
    """
    if not isinstance(x, list):
        return Call([x], single=True)
    if not x:
        raise InvalidInput("'x' is empty: send a row or a list of rows")
    several = isinstance(x[0], list | dict) or (width == 1 and len(x) > 1)
    if not several:
        return Call([x], single=True)
    return Call(x, single=False, only_numbers=strict_json.holds_only_numbers(body, 1))


def encode(single: bool, y: Sequence[float] | Matrix) -> bytes:
    """The body that answers with n predictions, or with one for a row that stood alone."""
    return orjson.dumps({"y": float(y[0])}) if single else _encode_several(y)


def _encode_several(y: Sequence[float] | Matrix) -> bytes:
    # orjson writes only arrays without gaps, and a model may answer a column of a larger one.
    return orjson.dumps({"y": np.ascontiguousarray(y)}, option=orjson.OPT_SERIALIZE_NUMPY)


def encode_error(error: OrdinateError) -> bytes:
    """The body that tells of an error."""
    details = error.details if isinstance(error, InvalidInput) else ()
    return error_body(error.message, details)


def error_body(message: str, details: Sequence[Problem] = ()) -> bytes:
    """An error in the native shape, which tells what was sent: keys in it are masked."""
    body = orjson.dumps(
        {
            "error": message,
            "details": [
                {"row": p.row, "feature": p.feature, "problem": p.problem, "got": p.got}
                for p in details
            ],
        }
    )
    return mask_bytes(body)
