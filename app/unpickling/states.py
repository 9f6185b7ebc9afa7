"""What compiled parts of estimators are filled with, checked before it reaches them.

They believe what they are given: an index beyond an array would have them read, or crash, anywhere.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from app.errors import BrokenModel
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


def _must(right: object) -> None:
    if not right:
        raise ValueError("a part does not fit the others")


def _array(value: Any, *shape: int | None) -> Any:
    """An array of this shape, None being any length."""
    _must(type(value) is np.ndarray and value.ndim == len(shape))
    _must(all(want in (None, got) for want, got in zip(shape, value.shape, strict=True)))
    return value


def _within(indices: Any, low: Any, high: Any) -> None:
    _must(((indices >= low) & (indices < high)).all())


def _distance(_instance: Any, state: Any) -> None:
    power, vector, matrix = state
    _must(type(power) is float)
    _array(vector, None)
    _array(matrix, None, None)


def _neighbors(instance: Any, state: Any) -> None:
    """A tree of points: its nodes are a heap over an order of the points."""
    points, order, nodes, bounds, leaf_size, levels, count, *counted, distance, weights = state
    n, p = _array(points, None, None).shape
    _must(type(levels) is int and 0 < levels < _MOST_LEVELS and count == 2**levels - 1)
    _must(len(counted) == 4 and all(type(each) is int for each in (leaf_size, *counted)))
    _within(_array(order, n), 0, n)
    starts, ends = (_array(nodes, count)[name] for name in ("idx_start", "idx_end"))
    _within(starts, 0, n + 1)
    _within(ends, starts, n + 1)
    _must(nodes["is_leaf"][count // 2 :].all())  # the lowest level: there is none below it
    _array(bounds, 2 if type(instance).__module__ == BOXES else 1, count, p)
    if weights is not None:
        _array(weights, n)
    _metric(distance, "32" if type(instance).__name__.endswith("32") else "64", p)


def _metric(distance: Any, bits: str, features: int) -> None:
    kind = type(distance)
    _must(kind.__module__ == DISTANCES and kind.__name__.endswith(bits))
    _power, vector, matrix = distance.__getstate__()
    if kind.__name__.startswith("SEuclidean"):
        _array(vector, features)
    if kind.__name__.startswith("Minkowski"):
        _must(len(vector) in (0, 1, features))
    if kind.__name__.startswith("Mahalanobis"):
        _array(matrix, features, features)


def _tree(instance: Any, state: Any) -> None:
    """A tree of decisions: each node comes before those below it."""
    nodes = _array(state["nodes"], state["node_count"])
    _must(len(nodes))  # it would be looked through for ever
    below = np.stack([nodes["left_child"], nodes["right_child"]])
    inner = np.flatnonzero(nodes["left_child"] != -1)
    _within(below[:, inner], inner + 1, len(nodes))
    _within(nodes["feature"][inner], 0, instance.n_features)


def _predictor(_instance: Any, state: Any) -> None:
    """The same of gradient boosting with histograms."""
    nodes = _array(state["nodes"], None)
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    below = np.stack([nodes["left"], nodes["right"]])[:, inner].astype(np.int64)
    _within(below, inner + 1, len(nodes))
    _must((nodes["feature_idx"] >= 0).all())
    sets = len(_array(state["raw_left_cat_bitsets"], None, 8))
    _array(state["binned_left_cat_bitsets"], sets, 8)
    _within(nodes["bitset_idx"][nodes["is_categorical"] != 0], 0, sets)


_CHECKS: Mapping[str, Check] = {
    BALLS: _neighbors,
    BOXES: _neighbors,
    DISTANCES: _distance,
    "sklearn.tree._tree": _tree,
    "sklearn.ensemble._hist_gradient_boosting.predictor": _predictor,
}
