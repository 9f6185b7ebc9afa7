"""Whether the parts of an estimator fit one another, where compiled code would not look.

An index beyond an array has it read, or crash, anywhere. Trees and distances are checked before
they are made (`states`); here is what concerns an estimator as a whole, when all of it is there.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.errors import BrokenModel

_WORDS = 624
"""Of the state of a Mersenne Twister."""


def check_fit(value: Any) -> None:
    """Raise BrokenModel for something whose parts cannot come of one fit."""
    try:
        for check in _checks(value):
            check(value)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise BrokenModel(f"a {type(value).__name__} does not fit itself") from error


def _checks(value: Any) -> Iterator[Callable[[Any], None]]:
    kind = type(value)
    if kind.__module__.startswith("scipy.sparse."):
        yield lambda matrix: matrix.check_format(full_check=True)
    if kind.__name__ in ("RandomState", "Generator") and kind.__module__.startswith("numpy.random"):
        yield _random
    for base in kind.__mro__:
        if base.__module__.startswith("sklearn.") and (check := _OF.get(base.__name__)):
            yield check


def _must(right: object) -> None:
    if not right:
        raise ValueError("a part does not fit the others")


def _random(generator: Any) -> None:
    state = getattr(generator, "bit_generator", generator)
    found = state.state if hasattr(state, "state") else state.get_state(legacy=False)
    if found["bit_generator"] == "MT19937":
        _must(0 <= found["state"]["pos"] <= _WORDS)


def _vectors(machine: Any) -> None:
    """A support vector machine, for rows of numbers or sparse ones."""
    if not hasattr(machine, "support_vectors_"):
        return  # it was not fitted
    (count,), features = machine.support_.shape, machine.n_features_in_
    weights, parts, classes = machine._dual_coef_.shape, vars(machine)["_n_support"], 2
    _must(machine.support_vectors_.shape == (count, features) == (count, machine.shape_fit_[1]))
    if hasattr(machine, "classes_"):
        classes = len(machine.classes_)
        _must(parts.shape == (classes,) and (parts >= 0).all() and parts.sum() == count)
    else:
        _must(parts.shape == (classes,) and parts[0] == count)
    _must(weights == (classes - 1, count))


def _histograms(boosted: Any) -> None:
    for turn in getattr(boosted, "_predictors", ()):
        for predictor in turn:
            _must((predictor.nodes["feature_idx"] < boosted.n_features_in_).all())


def _tree(estimator: Any) -> None:
    if hasattr(estimator, "tree_"):
        _must(estimator.tree_.n_features == estimator.n_features_in_)


_OF: Mapping[str, Callable[[Any], None]] = {
    "BaseLibSVM": _vectors,
    "BaseHistGradientBoosting": _histograms,
    "BaseDecisionTree": _tree,
}
"""By the name of a base of the estimator's class."""
