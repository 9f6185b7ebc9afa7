"""What estimators keep that they would call, or call by: checked when a pickle is read.

scikit-learn trusts an estimator's attributes. It calls a function that is one of them, asks a part
for whatever method another one names, and hands on keywords; so what a pickle may name does not
decide alone what happens when a model predicts. Here functions stand only where fitted pipelines
have them, and none that is called in a prediction is more than arithmetic on each element.

All is looked at when all is filled: until then a list can change that hangs on an estimator.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import getattr_static
from types import FunctionType
from typing import Any

import numpy as np

from app.errors import BrokenModel
from app.unpickling.allowed import SCORES, VALUES
from app.unpickling.conditions import descends
from app.unpickling.fits import check_fit
from app.unpickling.guards import guard
from app.unpickling.makers import Kind, Maker

_INERT = frozenset(("param_grid", "param_distributions", "best_params_", "cv_results_"))
"""Of a search: what was tried, functions among it. An estimator can be told to look there."""

_SETTLED: Mapping[str, Any] = {"n_jobs": None, "_n_threads": 1, "verbose": 0}
"""Attributes that are a service's own affair: threads, processes, and lines beside its log."""

_KEYWORDS = frozenset(("kernel_params", "pairwise_kernels_kwargs"))
"""Attributes by which `n_jobs` would be handed on as well."""

_PLAIN = frozenset((int, float, str, bool, bytes, type(None)))
"""Types of what has no parts."""

_TREES = "sklearn.tree._tree"
_INTERPOLATION = ("scipy.interpolate._interpolate", "interp1d")

_RESPONSES = frozenset(
    ("auto", "predict", "predict_proba", "predict_log_proba", "decision_function")
)
"""Methods that a part is asked for its answers by."""


def _is_elementwise(value: Any) -> bool:
    return isinstance(value, np.ufunc)


def _is_score(value: Any) -> bool:
    return not isinstance(value, type) and value.__module__ in SCORES


def _is_value(value: Any) -> bool:
    return not isinstance(value, type) and (value.__module__, value.__name__) in VALUES


def _is_split(value: Any) -> bool:
    return isinstance(value, type) and value.__module__ == "sklearn.model_selection._split"


def _is_constant(value: Any) -> bool:
    """Whether an isotonic regression made this when it was filled, of a single threshold."""
    return isinstance(value, FunctionType) and value.__module__ == "sklearn.isotonic"


def _is_number_type(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, np.number | np.bool_)


_FUNCTIONS: Mapping[str, Callable[[Any], bool]] = {
    "func": _is_elementwise,
    "inverse_func": _is_elementwise,
    "score_func": _is_score,
    "_score_func": _is_score,
    "pooling_func": _is_value,
    "_kmeans_single": _is_value,
    "_asarray": _is_value,
    "cv": _is_split,
    "dtype": _is_number_type,
    "f_": _is_constant,
}
"""Attributes that may be functions or types, and which ones."""


def _names_responses(value: Any) -> bool:
    names = value if isinstance(value, list | tuple) else [value]
    return all(name is None or (type(name) is str and name in _RESPONSES) for name in names)


def _is_empty(value: Any) -> bool:
    """Whether there are no keywords: those of elementwise functions say where results go."""
    return value is None or (type(value) is dict and not value)


def _is_plain_output(value: Any) -> bool:
    """Whether arrays are given: for frames, libraries would be imported that may not be there."""
    return type(value) is dict and all(
        key == "transform" and each in ("default", None) for key, each in value.items()
    )


def _leads_to_public(value: Any) -> bool:
    """Whether all attributes on a way are public."""
    return type(value) is str and not any(part.startswith("_") for part in value.split("."))


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_kernel(value: Any) -> bool:
    """Whether rows are compared by a name or by arithmetic, not by some object that can be called.

    Losses can, and take from keywords arrays whose lengths they do not look at.
    """
    return _is_text(value) or type(value).__module__ == "sklearn.gaussian_process.kernels"


_RULES: Mapping[str, Callable[[Any], bool]] = {
    "stack_method": _names_responses,
    "stack_method_": _names_responses,
    "response_method": _names_responses,
    "_response_method": _names_responses,
    "kw_args": _is_empty,
    "inv_kw_args": _is_empty,
    "metric": _is_text,
    "effective_metric_": _is_text,
    "kernel": _is_kernel,
    "importance_getter": _leads_to_public,
    "_sklearn_output_config": _is_plain_output,
}
"""Attributes by which something is called, and what they may be."""


def check_parts(made: object) -> None:
    """Look at everything that a pickle has made. Raises BrokenModel for what no pipeline is."""
    seen: dict[tuple[int, bool], Any] = {}
    todo: list[tuple[Any, bool]] = [(made, False)]
    while todo:
        value, inert = todo.pop()
        if type(value) in _PLAIN or (id(value), inert) in seen:
            continue
        seen[id(value), inert] = value
        if _is_code(value):
            if inert and not isinstance(value, Maker | Kind):
                continue
            raise BrokenModel(f"it keeps {_named(value)} where fitted pipelines keep no function")
        if type(value).__module__ == _TREES and value is not made:
            raise BrokenModel("it has nodes of a tree without the estimator that they belong to")
        check_fit(value)
        todo += ((each, inert) for each in _elements(value))
        if not (_is_interpolation(value) or (inert and type(value) is np.ma.MaskedArray)):
            todo += _attributes(value)
    for value in seen.values():
        guard(value)


def _is_interpolation(value: Any) -> bool:
    """Whether an isotonic regression made this of its thresholds: no pickle can name it."""
    return (type(value).__module__, type(value).__name__) == _INTERPOLATION


def _elements(value: Any) -> Iterable[Any]:
    """What is in a container, itself or the keys of it."""
    if isinstance(value, dict):
        if type(value) is not dict:  # its keys are attributes as well
            _check_names(value)
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return value
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        fill = vars(value).get("_fill_value") if isinstance(value, np.ma.MaskedArray) else None
        return [*np.asarray(value).ravel(), fill]  # also what a mask hides
    return ()


def _attributes(value: Any) -> Iterator[tuple[Any, bool]]:
    """The attributes of an instance that are to be looked at, and whether they are inert."""
    found = getattr(value, "__dict__", {})
    _check_names(found)
    _settle(found)
    for key, each in found.items():
        if _is_callable_of(type(value), key):
            raise BrokenModel(f"it has something else in the place of {key!a:.80}")
        allowed = _FUNCTIONS.get(key) if _is_code(each) else _RULES.get(key)
        if allowed is not None and not allowed(each):
            raise BrokenModel(f"it has a {key} as scikit-learn never does")
        if key == "tree_" and descends(value, "BaseDecisionTree"):
            continue  # compared with the estimator, which is what compares it with rows
        if not (allowed and _is_code(each)):
            yield each, key in _INERT


def _settle(found: dict[str, Any]) -> None:
    """Put in place of what does not count in a service what does."""
    for key, settled in _SETTLED.items():
        if key in found:
            found[key] = settled
    for key in _KEYWORDS & found.keys():
        if type(found[key]) is dict:
            found[key].pop("n_jobs", None)


def _check_names(names: Iterable[object]) -> None:
    """Refuse names that mean something to Python or NumPy, such as the address of an array."""
    for name in names:
        if type(name) is not str or name.startswith("__"):
            raise BrokenModel("it has an attribute as no estimator does")


def _is_callable_of(kind: type, key: str) -> bool:
    """Whether a class has a method or a property of this name, which an attribute would hide."""
    found = getattr_static(kind, key, None)
    return callable(found) or hasattr(type(found), "__get__")


def _is_code(value: Any) -> bool:
    """Whether something is a type, a function, or a stand-in for one."""
    if isinstance(value, type | Maker | Kind) or hasattr(value, "__code__"):
        return True
    return callable(value) and type(value).__module__.partition(".")[0] in ("builtins", "numpy")


def _named(value: Any) -> str:
    return f"{getattr(value, '__name__', type(value).__name__)!a:.80}"
