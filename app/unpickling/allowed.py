"""What a pickle may name: the estimators of scikit-learn and what they are made of.

Three kinds of things come of a name, and none of them is a function that a pickle could call:

* a `Maker`, our own stand-in for one of the few callables that pickles of estimators call, or a
  `Kind`, which only makers take;
* a class, of which empty instances may be made if it belongs to a family on the list;
* a function that estimators keep as a parameter, such as a ufunc: a plain value here.
"""

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from app.errors import BrokenModel
from app.unpickling.arrays import ArrayAhead
from app.unpickling.makers import KINDS, MAKERS, Maker

__all__ = ["Maker", "find", "is_creatable"]

PACKAGES = frozenset(
    (
        *("calibration", "cluster", "compose", "covariance", "cross_decomposition"),
        *("decomposition", "discriminant_analysis", "dummy", "ensemble", "feature_selection"),
        *("frozen", "gaussian_process", "impute", "isotonic", "kernel_approximation"),
        *("kernel_ridge", "linear_model", "manifold", "mixture", "model_selection", "multiclass"),
        *("multioutput", "naive_bayes", "neighbors", "neural_network", "pipeline", "preprocessing"),
        *("random_projection", "semi_supervised", "svm", "tree"),
    )
)
"""Of scikit-learn: those with estimators. feature_extraction is not: some of it opens files."""

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "sklearn._loss.link": ("BaseLink",),
    "sklearn._loss.loss": ("BaseLoss",),
    "sklearn.gaussian_process.kernels": ("Kernel",),
    "sklearn.model_selection._split": (
        *("BaseCrossValidator", "BaseShuffleSplit", "_RepeatedSplits"),
    ),
    "sklearn.neural_network._stochastic_optimizers": ("BaseOptimizer",),
}
"""Modules with classes that are no estimators, and what these descend from."""

PARTS = frozenset(
    {
        ("scipy.interpolate._bsplines", "BSpline"),
        ("scipy.sparse._csc", "csc_array"),
        ("scipy.sparse._csc", "csc_matrix"),
        ("scipy.sparse._csr", "csr_array"),
        ("scipy.sparse._csr", "csr_matrix"),
        ("sklearn._loss.link", "Interval"),
        ("sklearn.calibration", "_CalibratedClassifier"),
        ("sklearn.calibration", "_SigmoidCalibration"),
        ("sklearn.cluster._birch", "_CFNode"),
        ("sklearn.cluster._birch", "_CFSubcluster"),
        ("sklearn.cluster._bisect_k_means", "_BisectingTree"),
        ("sklearn.ensemble._hist_gradient_boosting.predictor", "TreePredictor"),
        ("sklearn.metrics._scorer", "_CurveScorer"),
        ("sklearn.metrics._scorer", "_PassthroughScorer"),
        ("sklearn.metrics._scorer", "_Scorer"),
        ("sklearn.utils._bunch", "Bunch"),
        ("sklearn.utils._metadata_requests", "MetadataRequest"),
        ("sklearn.utils._metadata_requests", "MethodMetadataRequest"),
    }
)
"""Other classes that estimators have instances of."""

VALUES = frozenset(
    {
        ("numpy", "max"),
        ("numpy", "mean"),
        ("numpy", "median"),
        ("numpy", "min"),
        ("numpy.ma", "MaskedArray"),
        ("numpy.ma.core", "MaskedArray"),
        ("scipy._lib.array_api_compat.numpy._aliases", "asarray"),
        ("sklearn.cluster._kmeans", "_kmeans_single_elkan"),
        ("sklearn.cluster._kmeans", "_kmeans_single_lloyd"),
    }
)
"""Functions and classes that estimators keep as they are."""

SCORES = frozenset(
    {
        "sklearn.feature_selection._mutual_info",
        "sklearn.feature_selection._univariate_selection",
        "sklearn.metrics._classification",
        "sklearn.metrics._ranking",
        "sklearn.metrics._regression",
    }
)
"""Modules whose public functions rate features or answers; estimators keep the one they use."""

_ARRAY_AHEAD = ("joblib.numpy_pickle", "NumpyArrayWrapper")


def find(module: object, name: object) -> Any:
    """What a pickle means by a name.

    Raises:
        BrokenModel: it is not on the list, which is said before anything of it is imported.
    """
    if type(module) is not str or type(name) is not str:
        raise BrokenModel("it is damaged")
    # A dot in a name would lead on from something harmless, as in `sklearn.os.system`.
    if name.isidentifier() and all(part.isidentifier() for part in module.split(".")):
        if (made := MAKERS.get((module, name)) or KINDS.get((module, name))) is not None:
            return made
        if (module, name) == _ARRAY_AHEAD:
            return ArrayAhead
        if (found := _found(module, name)) is not None:
            return found
    shown = f"{module}.{name}".encode("ascii", "backslashreplace").decode()
    raise BrokenModel(
        f"it needs {shown[:120]}, which fitted scikit-learn pipelines are not made of"
    )


def is_creatable(kind: object) -> bool:
    """Whether empty instances of a class may be made."""
    return isinstance(kind, type) and (
        kind is ArrayAhead or _has_instances(kind, kind.__module__, kind.__qualname__)
    )


def _found(module: str, name: str) -> Any:
    if module == "numpy":
        found = vars(np).get(name)
        kept = isinstance(found, np.ufunc) or found is np.ndarray or (module, name) in VALUES
        return found if kept or _is_number_type(found) else None
    if (module, name) in VALUES:
        return _looked_up(module, name)
    if module in SCORES:
        found = None if name.startswith("_") else _looked_up(module, name)
        return found if callable(found) and _is_defined_in(found, module, name) else None
    if (module, name) in PARTS or module in FAMILIES or _is_of_package(module):
        found = _looked_up(module, name)
        return found if _has_instances(found, module, name) else None
    return None


def _looked_up(module: str, name: str) -> Any:
    try:
        return vars(importlib.import_module(module)).get(name)
    except ImportError:
        return None


def _is_of_package(module: str) -> bool:
    """Whether a module belongs to scikit-learn's estimators, and not to their tests."""
    first, *parts = module.split(".")
    tested = any(part.startswith(("test", "conftest")) for part in parts)
    return first == "sklearn" and bool(parts) and parts[0] in PACKAGES and not tested


def _has_instances(found: object, module: str, name: str) -> bool:
    if not isinstance(found, type) or not _is_defined_in(found, module, name):
        return False
    if (module, name) in PARTS:
        return True
    if module in FAMILIES:
        return issubclass(found, tuple(_looked_up(module, base) for base in FAMILIES[module]))
    return _is_of_package(module) and issubclass(found, _looked_up("sklearn.base", "BaseEstimator"))


def _is_defined_in(found: Any, module: str, name: str) -> bool:
    """Whether something is at home in a module, not just imported there."""
    home = getattr(found, "__module__", None), getattr(found, "__qualname__", None)
    return home == (module, name)


def _is_number_type(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, np.generic)
