"""Stand-ins for the callables that pickles of estimators call, each with checked arguments."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import NoneType
from typing import Any

import numpy as np

from app.errors import BrokenModel
from app.unpickling.arrays import (
    is_array,
    make_dtype,
    make_empty,
    make_from_buffer,
    make_masked,
    make_scalar,
)

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes one kind of object; not callable itself, so that nothing mistakes it for a function.

    Attributes:
        make: from the arguments in the pickle; raises BrokenModel for any that are not allowed.
        stateful: whether what is made is filled afterwards.
        complete: whether it is whole also where it is not.
    """

    make: Callable[..., Any]
    stateful: bool = False
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """Stands for a compiled class of which only the makers here make instances."""

    module: str
    name: str

    def empty(self) -> Any:
        """An instance without content."""
        kind = _the(self.module, self.name)
        return kind.__new__(kind)


_COMPILED = (
    ("numpy.random.bit_generator", "SeedSequence"),
    ("sklearn._loss._loss", "CyHalfMultinomialLoss"),
)
BALLS, BOXES = "sklearn.neighbors._ball_tree", "sklearn.neighbors._kd_tree"
DISTANCES = "sklearn.metrics._dist_metrics"
_GENERATORS = {
    "numpy.random._mt19937": ("MT19937",),
    "numpy.random._pcg64": ("PCG64", "PCG64DXSM"),
    "numpy.random._philox": ("Philox",),
    "numpy.random._sfc64": ("SFC64",),
}
_MADE_EMPTY = {
    BALLS: ("BallTree", "BallTree32", "BallTree64"),
    BOXES: ("KDTree", "KDTree32", "KDTree64"),
    # Not PyFuncDistance, which calls what it is given.
    DISTANCES: tuple(
        f"{name}Distance{bits}"
        for name in (
            *("BrayCurtis", "Canberra", "Chebyshev", "Dice", "Euclidean", "Hamming", "Haversine"),
            *("Jaccard", "Mahalanobis", "Manhattan", "Matching", "Minkowski", "RogersTanimoto"),
            *("RussellRao", "SEuclidean", "SokalMichener", "SokalSneath"),
        )
        for bits in (32, 64)
    ),
}
_CHECK = ("sklearn.utils.validation", "check_array")
_TRIPLET = ("sklearn.impute._iterative", "_ImputerTriplet")
_OPTIONS = {"dtype": [np.float64], "ensure_all_finite": False}
_LOSSES = {
    "sklearn._loss._loss": (
        *("CyAbsoluteError", "CyExponentialLoss", "CyHalfBinomialLoss", "CyHalfGammaLoss"),
        *("CyHalfPoissonLoss", "CyHalfSquaredError", "CyHalfTweedieLoss"),
        *("CyHalfTweedieLossIdentity", "CyHuberLoss", "CyPinballLoss"),
    ),
    "sklearn.linear_model._sgd_fast": (
        *("EpsilonInsensitive", "Hinge", "ModifiedHuber", "SquaredEpsilonInsensitive"),
        "SquaredHinge",
    ),
}


def _the(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def _check(right: bool, what: str) -> None:
    if not right:
        raise BrokenModel(f"it makes a {what} as scikit-learn never does")


def _slice(*bounds: Any) -> slice:
    _check(len(bounds) == 3 and all(type(each) in (int, NoneType) for each in bounds), "slice")
    return slice(*bounds)


def _loss(module: str, name: str) -> Maker:
    def make(*numbers: Any) -> Any:
        _check(all(isinstance(number, int | float) for number in numbers), "loss")
        return _the(module, name)(*numbers)

    return Maker(make)


def _tree(features: Any, classes: Any, outputs: Any) -> Any:
    _check(type(features) is int and type(outputs) is int, "tree")
    _check(is_array(classes) and classes.shape == (outputs,) and features >= 0 < outputs, "tree")
    _check(bool((classes > 0).all()), "tree")  # of none, its nodes would have no values
    return _the("sklearn.tree._tree", "Tree")(features, classes, outputs)


class CheckAhead:
    """Stands for scikit-learn's check of rows with the options that boosting gives it.

    Where it is told which columns are categories, histogram gradient boosting keeps this one
    function in a transformer.
    """

    def read(self, state: Any) -> Any:
        """The check, which only the options that it is known by may belong to."""
        _function, positional, options, attributes = state
        _check(positional == () and options == _OPTIONS and not attributes, "function")
        return partial(_the(*_CHECK), **_OPTIONS)


def _triplet(feature: Any, others: Any, estimator: Any) -> Any:
    _check(isinstance(feature, int | np.integer) and is_array(others), "step of an imputer")
    return _the(*_TRIPLET)(feature, others, estimator)


def _partial(kind: Any) -> CheckAhead:
    _check(kind == Kind(*_CHECK), "function")
    return CheckAhead()


def _empty_of(module: str) -> Maker:
    def make(kind: Any) -> Any:
        _check(type(kind) is Kind and kind.module == module, "tree or distance")
        return kind.empty()

    return Maker(make, stateful=True)


def _bit_generator(kind: Any) -> Any:
    _check(type(kind) is Kind and kind.module in _GENERATORS, "generator of random numbers")
    return _the(kind.module, kind.name)(0)


def _random(name: str) -> Callable[..., Any]:
    # By name, because numpy.random is imported by who uses it only, and takes 4 MB.
    def make(bits: Any) -> Any:
        right = isinstance(bits, _the("numpy.random", "BitGenerator"))
        _check(right, "generator of random numbers")
        return _the("numpy.random", name)(bits)

    return make


def _compiled(module: str, name: str) -> Maker:
    """For a class whose instances Cython restores: its own function checks the layout."""

    def make(kind: Any, layout: Any, state: Any) -> Any:
        right = kind == Kind(module, name) and type(layout) is int and state in (None, ())
        _check(right, "part of an estimator")
        return _the(module, f"__pyx_unpickle_{name}")(_the(module, name), layout, state)

    return Maker(make, stateful=True, complete=True)


def _kinds() -> Iterator[tuple[Key, Kind]]:
    for module, name in (*_COMPILED, _CHECK):
        yield (module, name), Kind(module, name)
    for module, names in {**_GENERATORS, **_MADE_EMPTY}.items():
        for name in names:
            yield (module, name), Kind(module, name)


KINDS: Mapping[Key, Kind] = dict(_kinds())
"""Classes that makers take as an argument."""

MAKERS: Mapping[Key, Maker] = {
    ("builtins", "slice"): Maker(_slice),
    ("functools", "partial"): Maker(_partial, stateful=True),
    ("numpy", "dtype"): Maker(make_dtype, stateful=True),
    ("numpy._core.multiarray", "_reconstruct"): Maker(make_empty, stateful=True),
    ("numpy._core.multiarray", "scalar"): Maker(make_scalar),
    ("numpy._core.numeric", "_frombuffer"): Maker(make_from_buffer),
    ("numpy.ma.core", "_mareconstruct"): Maker(make_masked, stateful=True),
    ("numpy.random._pickle", "__bit_generator_ctor"): Maker(_bit_generator, stateful=True),
    ("numpy.random._pickle", "__generator_ctor"): Maker(_random("Generator")),
    ("numpy.random._pickle", "__randomstate_ctor"): Maker(_random("RandomState"), stateful=True),
    _TRIPLET: Maker(_triplet),
    ("sklearn.tree._tree", "Tree"): Maker(_tree, stateful=True),
    **{(module, f"__pyx_unpickle_{name}"): _compiled(module, name) for module, name in _COMPILED},
    **{(module, "newObj"): _empty_of(module) for module in _MADE_EMPTY},
    **{(module, name): _loss(module, name) for module in _LOSSES for name in _LOSSES[module]},
}
"""By the name that a pickle has for what each of them stands for."""
