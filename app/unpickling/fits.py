"""Whether the parts of an estimator fit one another, where compiled code would not look.

An index beyond an array has it read, or crash, anywhere: what lies there comes out in the answers.
Trees and distances are checked before they are made (`states`); here is what concerns an estimator
as a whole, when all of it is there. What depends on rows is looked at when they come (`guards`).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from app.errors import BrokenModel
from app.unpickling.conditions import array, bases, descends, must
from app.unpickling.encoders import check_labels, check_one_hot
from app.unpickling.machines import check_vectors
from app.unpickling.outputs import check_polynomial, check_target
from app.unpickling.points import check_birch, check_bisecting, check_centers, check_neighbors

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
    kind: Any = type(value)
    if kind.__module__.startswith("scipy.sparse."):
        yield lambda matrix: matrix.check_format(full_check=True)
    if kind.__module__.startswith("scipy.interpolate.") and kind.__name__ == "BSpline":
        yield _spline
    if kind.__name__ in ("RandomState", "Generator") and kind.__module__.startswith("numpy.random"):
        yield _random
    for name in _OF.keys() & bases(kind):
        yield _OF[name]


def _random(generator: Any) -> None:
    state = getattr(generator, "bit_generator", generator)
    found = state.state if hasattr(state, "state") else state.get_state(legacy=False)
    if found["bit_generator"] == "MT19937":
        must(0 <= found["state"]["pos"] <= _WORDS)
    if found["bit_generator"] == "Philox":
        must(0 <= found["buffer_pos"] <= len(found["buffer"]))


def _spline(spline: Any) -> None:
    """Knots and as many coefficients as they need, as SciPy checks them when it makes one."""
    knots, coefficients = array(vars(spline)["_t"], None), vars(spline)["_c"]
    must(type(coefficients) is np.ndarray and knots.dtype == coefficients.dtype == np.float64)
    must(isinstance(spline.k, int))
    type(spline)(knots, coefficients, spline.k)


def _tree(estimator: Any) -> None:
    if hasattr(estimator, "tree_"):
        must(type(estimator.tree_).__module__ == "sklearn.tree._tree")
        must(estimator.tree_.n_features == estimator.n_features_in_)


def _boosted(boosted: Any) -> None:
    """Only the first of its trees is compared with the rows."""
    if hasattr(boosted, "estimators_"):
        trees = array(boosted.estimators_, None, None)
        must(trees.size and all(descends(each, "BaseDecisionTree") for each in trees.flat))
        must(all(each.tree_.n_features == boosted.n_features_in_ for each in trees.flat))


def _histograms(boosted: Any) -> None:
    kept = vars(boosted)
    must("_in_fit" not in kept)  # it would take the rows for binned ones
    if "_predictors" not in kept:
        return
    count = boosted.n_features_in_
    by_category = array(kept["_bin_mapper"].is_categorical_, count) != 0
    must(type(kept["_predictors"]) is list)
    for turn in kept["_predictors"]:
        must(type(turn) is list)
        for predictor in turn:
            features = predictor.nodes["feature_idx"]
            must((features < count).all())
            must(by_category[features[predictor.nodes["is_categorical"] != 0]].all())


_OF: Mapping[str, Callable[[Any], None]] = {
    "BaseDecisionTree": _tree,
    "BaseGradientBoosting": _boosted,
    "BaseHistGradientBoosting": _histograms,
    "BaseLibSVM": check_vectors,
    "Birch": check_birch,
    "BisectingKMeans": check_bisecting,
    "MultiLabelBinarizer": check_labels,
    "NeighborsBase": check_neighbors,
    "OneHotEncoder": check_one_hot,
    "PolynomialFeatures": check_polynomial,
    "TargetEncoder": check_target,
    "_BaseKMeans": check_centers,
}
"""By the name of a base of the estimator's class."""
