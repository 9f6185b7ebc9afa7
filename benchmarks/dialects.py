"""How each service is asked and how it answers, as pure functions on bytes."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Rows = Sequence[Any]


@dataclass(frozen=True)
class Dialect:
    """A way to ask for predictions.

    Attributes:
        one: path for one row.
        many: path for several.
        ask: rows and whether it is one bare row -> body.
        read: body of an answer -> predictions; None where answers are constant.
    """

    one: str
    many: str
    ask: Callable[[Rows, bool], bytes]
    read: Callable[[bytes], list[float]] | None

    def request(self, rows: Rows, *, bare: bool) -> bytes:
        """A whole HTTP request for these rows; a single row may be sent bare."""
        body = self.ask(rows, bare)
        path = self.one if bare else self.many
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: benchmark\r\nAccept: */*\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body


def _ask_x(rows: Rows, bare: bool) -> bytes:
    return json.dumps({"x": rows[0] if bare else rows}).encode()


def _read_y(body: bytes) -> list[float]:
    return _listed(json.loads(body)["y"])


def _ask_tensor(rows: Rows, _bare: bool) -> bytes:
    shape = [len(rows), len(rows[0])]
    flat = [value for row in rows for value in row]
    tensor = {"name": "x", "shape": shape, "datatype": "FP64", "data": flat}
    return json.dumps({"inputs": [tensor]}).encode()


def _read_tensor(body: bytes) -> list[float]:
    return _listed(json.loads(body)["outputs"][0]["data"])


def _ask_inputs(rows: Rows, _bare: bool) -> bytes:
    return json.dumps({"inputs": rows}).encode()


def _read_predictions(body: bytes) -> list[float]:
    return _listed(json.loads(body)["predictions"])


def _listed(found: Any) -> list[float]:
    return [float(y) for y in found] if isinstance(found, list) else [float(found)]


NATIVE = Dialect("/predict", "/predict", _ask_x, _read_y)
NATIVE_TABLE = Dialect("/models/table/predict", "/models/table/predict", _ask_x, _read_y)
X_TO_Y = Dialect("/predict", "/rows", _ask_x, _read_y)
LEAN = Dialect("/lean/predict", "/lean/rows", _ask_x, _read_y)
CONSTANT = Dialect("/", "/", _ask_x, None)
MLSERVER = Dialect(
    "/v2/models/diabetes/infer", "/v2/models/diabetes/infer", _ask_tensor, _read_tensor
)
MLFLOW = Dialect("/invocations", "/invocations", _ask_inputs, _read_predictions)
