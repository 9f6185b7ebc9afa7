"""A model that can be trusted to answer: verified, loaded, and proven on its golden rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.checking import to_matrix
from app.errors import BrokenModel, InvalidInput
from app.linear import Linear
from app.manifest import Manifest
from app.runtimes import Choice, Predictor, load
from app.schema import Schema
from app.signing import UNSIGNED, Signed
from app.store import Reader

GOLDEN_RELATIVE = 1e-9
"""How far an answer may be from its golden one, relative to the largest of them.

The unit of the target must not matter, and neither must an answer that happens to be near 0.
"""


@dataclass(frozen=True, slots=True)
class Model:
    """A version that was verified, loaded and has reproduced its golden rows."""

    manifest: Manifest
    manifest_sha256: str
    predictor: Predictor
    label: str
    quick: Callable[[object], float | None] | None = None
    signed: Signed = UNSIGNED

    @property
    def schema(self) -> Schema:
        """What it takes and gives."""
        return self.manifest.description.schema

    def answer(
        self, rows: Sequence[Any], only_numbers: bool = False
    ) -> Sequence[float] | NDArray[np.float64]:
        """Check and predict n rows as they came out of JSON; n finite numbers.

        `only_numbers` says that they are known to hold nothing else.

        Raises:
            InvalidInput: with every problem of every row.
        """
        if self.quick is not None and len(rows) == 1 and (y := self.quick(rows[0])) is not None:
            return [y]
        return self.predict(to_matrix(self.schema, rows, only_numbers))

    def predict(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predict a checked float64 matrix of shape (n, p).

        Returns:
            float64, shape (n,), all finite.

        Raises:
            InvalidInput: the answer for these values would not be a finite number.
        """
        with np.errstate(all="ignore"):  # what overflows is told below, not on stderr
            y = np.asarray(self.predictor.predict(matrix), dtype=np.float64).reshape(-1)
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
    quick = predictor.predict_json if isinstance(predictor, Linear) else None
    label = f"{name}/{version}"
    model = Model(opened.manifest, opened.manifest_sha256, predictor, label, quick, opened.signed)
    _prove(model)
    return model


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
    if y.shape != expected.shape or not _close(y, expected):
        raise BrokenModel(
            "its answers differ from its golden ones: it was changed or runs on other libraries"
        )


def _close(y: NDArray[np.float64], expected: NDArray[np.float64]) -> bool:
    allowed = GOLDEN_RELATIVE * np.abs(expected).max()
    return bool((np.abs(y - expected) <= allowed).all())
