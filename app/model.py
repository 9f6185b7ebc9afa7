"""A model that can be trusted to answer: verified, loaded, and proven on its golden rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from app.checking import to_matrix
from app.compiled import Plan, plan_for
from app.errors import BrokenModel, InvalidInput
from app.linear import Linear
from app.manifest import Manifest
from app.runtimes import Choice, Predictor, load
from app.schema import Schema
from app.signing import UNSIGNED, Signed
from app.store import Reader

Matrix = NDArray[np.float64]

GOLDEN_RELATIVE = 1e-9
"""How far an answer may be from its golden one, relative to the largest of them.

The unit of the target must not matter, and neither must an answer that happens to be near 0.
"""


@dataclass(frozen=True, eq=False)
class Model:
    """A version that was verified, loaded and has reproduced its golden rows."""

    manifest: Manifest
    manifest_sha256: str
    predictor: Predictor
    plan: Plan | None = None  # to read its rows by compiled code
    signed: Signed = UNSIGNED

    @cached_property
    def label(self) -> str:
        """NAME/VERSION."""
        return f"{self.manifest.name}/{self.manifest.version}"

    @cached_property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What its answers say of it."""
        return (("X-Model", self.label),)

    @cached_property
    def schema(self) -> Schema:
        """What it takes and gives."""
        return self.manifest.description.schema

    @cached_property
    def is_quick(self) -> bool:
        """Whether a row takes it microseconds."""
        return isinstance(self.predictor, Linear)

    @cached_property
    def examples(self) -> tuple[float, Sequence[float]]:
        """Its answers to the first golden row alone, and to the first two together.

        Those recorded at training may differ in the last bits, and these from each other.
        """
        rows = [list(row) for row in self.manifest.description.golden.x[:2]]
        return float(self.answer(rows[:1])[0]), [float(y) for y in self.answer(rows)]

    def answer(self, rows: Sequence[Any], only_numbers: bool = False) -> Sequence[float] | Matrix:
        """Check and predict n rows as they came out of JSON; n finite numbers.

        `only_numbers` says that they are known to hold nothing else.

        Raises:
            InvalidInput: with every problem of every row.
        """
        if len(rows) == 1 and isinstance(self.predictor, Linear):
            y = self.predictor.predict_json(rows[0])
            if y is not None:
                return [y]
        return self.predict(to_matrix(self.schema, rows, only_numbers))

    def answer_plain(self, body: bytes, key: bytes, max_rows: int) -> float | Matrix | None:
        """Read ``{key: row}`` or ``{key: [row, ...]}`` by compiled code, and predict.

        Args:
            body: a JSON document.
            key: the only one of its object, in quotes.
            max_rows: that it may have.

        Returns:
            The answer for a row that stands alone, those for several, all finite; None for a body
            that is not plainly right, or where there is no compiled code.

        Raises:
            InvalidInput: the answer for these values would not be a finite number.
        """
        if self.plan is None:
            return None
        if self.is_quick:
            y = self.plan.answer(body, key, max_rows)
            if isinstance(y, float):
                return y if math.isfinite(y) else _finite(np.array([y]))[0].item()
            return None if y is None else _finite(y)
        read = self.plan.read(body, key, max_rows)
        if isinstance(read, list):
            return float(self.predict(np.array([read]))[0])
        return None if read is None else self.predict(read)

    def predict(self, matrix: Matrix) -> Matrix:
        """Predict a checked float64 matrix of shape (n, p).

        Returns:
            float64, shape (n,), all finite.

        Raises:
            InvalidInput: the answer for these values would not be a finite number, or there is
                none, as where they are beyond float32 and the estimator works with that.
        """
        try:
            return _finite(self._raw(matrix))
        except ValueError as error:
            row = self._first_refused(matrix)
            if row is None:
                raise
            has_null = np.isnan(matrix[row]).any()
            why = "it may not take null" if has_null else "one of them may be too large for it"
            raise InvalidInput(
                f"row {row}: the model cannot work with these values: {why}"
            ) from error

    def _raw(self, matrix: Matrix) -> Matrix:
        with np.errstate(all="ignore"):  # what overflows is told by who asks, not on stderr
            return np.asarray(self.predictor.predict(matrix), dtype=np.float64).reshape(-1)

    def _first_refused(self, matrix: Matrix) -> int | None:
        """The first row that the estimator does not take; None where the fault is not in the rows.

        By a ValueError scikit-learn refuses values, and fails where it is broken itself. So it must
        still take the golden rows. Halving finds the row for twice the work of the whole.
        """
        golden = [list(row) for row in self.manifest.description.golden.x]
        if not self._takes(to_matrix(self.schema, golden)):
            return None
        low, high = 0, len(matrix)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._takes(matrix[low:middle]) else (low, middle)
        return None if self._takes(matrix[low:high]) else low

    def _takes(self, matrix: Matrix) -> bool:
        try:
            self._raw(matrix)
        except ValueError:
            return False
        return True


def _finite(y: Matrix) -> Matrix:
    """The answers themselves. Raises InvalidInput where one is not finite."""
    if not np.isfinite(y).all():
        row = int(np.flatnonzero(~np.isfinite(y))[0])
        raise InvalidInput(f"row {row}: the model has no finite answer for these values")
    return y


def load_model(reader: Reader, name: str, version: int, choice: Choice = "auto") -> Model:
    """Open, verify, load and prove a version.

    Raises:
        UnknownModel: there is no such version.
        BrokenModel: it must not be used; the message says why.
    """
    opened = reader.open(name, version)
    predictor = load(opened.manifest, opened.files, choice, reader.limit)
    model = Model(opened.manifest, opened.manifest_sha256, predictor, None, opened.signed)
    _prove(model)
    return replace(model, plan=_proven_plan(model))


def _proven_plan(model: Model) -> Plan | None:
    """What reads its rows by compiled code, if that reads and answers the golden rows alike.

    Rows that it leaves to Python say nothing against it.
    """
    linear = model.predictor if isinstance(model.predictor, Linear) else None
    plan = plan_for(model.schema, linear)
    if plan is None:
        return None
    rows = [list(row) for row in model.manifest.description.golden.x]
    body, matrix = orjson.dumps({"x": rows}), to_matrix(model.schema, rows)
    read = plan.read(body, b'"x"', len(rows))
    if read is not None and not np.array_equal(read, matrix, equal_nan=True):
        return None
    answered = plan.answer(body, b'"x"', len(rows)) if linear else None
    if answered is not None and not np.array_equal(answered, model.predict(matrix)):
        return None
    return plan


def _prove(model: Model) -> None:
    """Compare the answers for the golden rows with those recorded at training."""
    golden = model.manifest.description.golden
    if not golden.x or len(golden.x) != len(golden.y):
        raise BrokenModel("it has no golden rows to prove it by")
    expected = np.array(golden.y, dtype=np.float64)
    try:
        y = model.predict(to_matrix(model.schema, [list(row) for row in golden.x]))
    except InvalidInput as error:
        raise BrokenModel(f"its golden rows are refused: {error.message}") from error
    except Exception as error:  # an estimator can raise anything
        raise BrokenModel(f"it fails on its golden rows ({type(error).__name__})") from error
    if y.shape != expected.shape or not is_close(y, expected):
        raise BrokenModel(
            "its answers differ from its golden ones: it was changed or runs on other libraries"
        )


def is_close(y: Matrix, expected: Matrix, relative: float = GOLDEN_RELATIVE) -> bool:
    """Whether answers are those that were recorded, relative to the largest of them."""
    return bool((np.abs(y - expected) <= relative * np.abs(expected).max()).all())
