"""What compiled parts of estimators are filled with, checked before it reaches them.

They believe what they are given: an index beyond an array would have them read, or crash, anywhere.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from app.errors import BrokenModel
from app.unpickling.conditions import array, must, within
from app.unpickling.makers import BALLS, BOXES, DISTANCES

Check = Callable[[Any, Any], None]

_MOST_LEVELS = 60


def check_state(instance: object, state: object) -> None:
    """Raise BrokenModel for a state that no fitted estimator has."""
    kind = type(instance)
    check = _CHECKS.get(kind.__module__)
    try:
        if check is not None:
            check(instance, state)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise _broken(kind) from error


def _broken(kind: type) -> BrokenModel:
    return BrokenModel(f"it fills a {kind.__name__} as scikit-learn never does")


def _distance(_instance: Any, state: Any) -> None:
    power, vector, matrix = state
    must(type(power) is float)
    array(vector, None)
    array(matrix, None, None)


def _neighbors(instance: Any, state: Any) -> None:
    """A tree of points: its nodes are a heap over an order of the points."""
    points, order, nodes, bounds, leaf_size, levels, count, *counted, distance, weights = state
    n, p = array(points, None, None).shape
    must(type(levels) is int and 0 < levels < _MOST_LEVELS and count == 2**levels - 1)
    must(len(counted) == 4 and all(type(each) is int for each in (leaf_size, *counted)))
    within(array(order, n), 0, n)
    starts, ends = (array(nodes, count)[name] for name in ("idx_start", "idx_end"))
    within(starts, 0, n + 1)
    within(ends, starts, n + 1)
    must(nodes["is_leaf"][count // 2 :].all())  # the lowest level: there is none below it
    array(bounds, 2 if type(instance).__module__ == BOXES else 1, count, p)
    if weights is not None:
        array(weights, n)
    _metric(distance, "32" if type(instance).__name__.endswith("32") else "64", p)


def _metric(distance: Any, bits: str, features: int) -> None:
    kind = type(distance)
    must(kind.__module__ == DISTANCES and kind.__name__.endswith(bits))
    _power, vector, matrix = distance.__getstate__()
    if kind.__name__.startswith("SEuclidean"):
        array(vector, features)
    if kind.__name__.startswith("Minkowski"):
        must(len(vector) in (0, 1, features))
    if kind.__name__.startswith("Mahalanobis"):
        array(matrix, features, features)
    if kind.__name__.startswith("Haversine"):
        must(features == 2)  # latitude and longitude


def _tree(instance: Any, state: Any) -> None:
    """A tree of decisions: each node comes before those below it."""
    nodes = array(state["nodes"], state["node_count"])
    must(len(nodes))  # it would be looked through for ever
    below = np.stack([nodes["left_child"], nodes["right_child"]])
    inner = np.flatnonzero(nodes["left_child"] != -1)
    within(below[:, inner], inner + 1, len(nodes))
    within(nodes["feature"][inner], 0, instance.n_features)


def _predictor(_instance: Any, state: Any) -> None:
    """The same of gradient boosting with histograms."""
    nodes = array(state["nodes"], None)
    must(len(nodes))  # the first is read in any case
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    below = np.stack([nodes["left"], nodes["right"]])[:, inner].astype(np.int64)
    within(below, inner + 1, len(nodes))
    must((nodes["feature_idx"] >= 0).all())
    sets = len(array(state["raw_left_cat_bitsets"], None, 8))
    array(state["binned_left_cat_bitsets"], sets, 8)
    within(nodes["bitset_idx"][nodes["is_categorical"] != 0], 0, sets)


_CHECKS: Mapping[str, Check] = {
    BALLS: _neighbors,
    BOXES: _neighbors,
    DISTANCES: _distance,
    "sklearn.tree._tree": _tree,
    "sklearn.ensemble._hist_gradient_boosting.predictor": _predictor,
}
