"""How the files of a version become something that predicts."""

import io
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from app.errors import BrokenModel
from app.linear import Linear
from app.manifest import Manifest
from app.unpickling import MAX_BYTES, unpickled

JOBLIB = "joblib"
"""The pickle in `MODEL_FILE` predicts."""

LINEAR = "linear"
"""The plain numbers in the manifest predict, and so does the pickle: training has compared them."""

MODEL_FILE = "model.joblib"

Choice = Literal["auto", "pickle"]
"""Whether a linear model is served by its numbers, or whatever it is by its pickle."""

_DISTRIBUTIONS = ("scikit-learn", "numpy", "scipy", "joblib")

_MUST_MATCH = {"python": 2, "scikit-learn": 2, "numpy": 1}
"""How many parts of a version must be the same for a pickle to be loaded.

scikit-learn promises nothing between versions; its patch releases keep the format in practice, and
the golden rows prove each loaded model. NumPy keeps its pickles within a major version.
"""


class Predictor(Protocol):
    """What a runtime makes of an artefact."""

    def predict(self, matrix: NDArray[np.float64], /) -> NDArray[np.float64]:
        """Answers, n of them, for a float64 matrix of shape (n, p)."""


def installed() -> dict[str, str]:
    """Versions of Python and of the libraries that a model depends on, where installed."""
    found = {"python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def dump(estimator: object) -> bytes:
    """A fitted estimator as the bytes of its file."""
    import joblib  # noqa: PLC0415 - what serves plain numbers never needs it

    target = io.BytesIO()
    joblib.dump(estimator, target)
    return target.getvalue()


def load(
    manifest: Manifest,
    files: Mapping[str, bytes],
    choice: Choice = "auto",
    limit: int = MAX_BYTES,
) -> Predictor:
    """Make a predictor of a manifest and files whose digests were verified.

    Args:
        manifest: of the version.
        files: of the version, by name.
        choice: of the runtime, where there is one.
        limit: most bytes that a compressed pickle may inflate to.

    Raises:
        BrokenModel: the runtime is unknown, a library differs too much, or loading fails.
    """
    runtime = manifest.description.runtime
    if runtime not in (JOBLIB, LINEAR):
        raise BrokenModel(f"it needs the runtime {runtime!r}, which is not installed here")
    if runtime == LINEAR and choice == "auto":
        return _load_linear(manifest)
    return _load_joblib(manifest, files, limit)


def _load_linear(manifest: Manifest) -> Predictor:
    try:
        return Linear(manifest.description.linear or {}, manifest.description.schema)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BrokenModel("the linear numbers in its manifest do not fit its schema") from error


def _load_joblib(manifest: Manifest, files: Mapping[str, bytes], limit: int) -> Predictor:
    _check_libraries(manifest.description.libraries)
    if MODEL_FILE not in files:
        raise BrokenModel(f"its manifest lists no {MODEL_FILE}")
    try:
        loaded: Any = unpickled(files[MODEL_FILE], limit)
    except BrokenModel as error:
        raise BrokenModel(f"its {MODEL_FILE} cannot be loaded: {error.message}") from error
    except Exception as error:  # what is damaged can raise anything
        raise BrokenModel(f"its {MODEL_FILE} cannot be loaded ({type(error).__name__})") from error
    if not callable(getattr(loaded, "predict", None)):
        raise BrokenModel(f"its {MODEL_FILE} holds no model: it has no predict")
    predictor: Predictor = loaded
    return predictor


def _check_libraries(made_with: Mapping[str, str]) -> None:
    here = installed()
    for name, parts in _MUST_MATCH.items():
        then, now = made_with.get(name), here.get(name, "none")
        if then is None:
            raise BrokenModel(f"its manifest does not say which {name} it was trained with")
        if then.split(".")[:parts] != now.split(".")[:parts]:
            raise BrokenModel(
                f"it was trained with {name} {then}, this service runs {name} {now}: "
                f"train it again here, or install {name} {then}"
            )
