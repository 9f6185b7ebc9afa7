"""Points and centers that rows are compared with: as wide as the rows, and as many as is said."""

from typing import Any

import numpy as np

from app.unpickling.conditions import array, descends, must, within
from app.unpickling.makers import BALLS, BOXES

_NORMS = frozenset(("X_norm_squared", "Y_norm_squared"))
"""Keywords by which lengths are handed on that are not looked at. No fit leaves them."""


def check_neighbors(made: Any) -> None:
    """Raise ValueError, or what else comes of it, for points that are not those of one fit."""
    kept = vars(made)
    if "_fit_X" not in kept:
        return
    shape = kept["n_samples_fit_"], kept["n_features_in_"]
    points, tree = kept["_fit_X"], kept["_tree"]
    must(type(points) is np.ndarray or type(points).__module__.startswith("scipy.sparse."))
    must(points.shape == shape)
    if tree is not None:
        must(type(tree).__module__ in (BALLS, BOXES) and np.asarray(tree.data).shape == shape)
    for options in (kept["metric_params"], kept["effective_metric_params_"]):
        _check_options(options or {}, shape[1])
    if descends(made, "ClassifierMixin") and kept["_y"].ndim == 1:
        within(array(kept["_y"], shape[0]), 0, len(kept["classes_"]))


def _check_options(options: Any, features: int) -> None:
    """Weights, variances and the like: SciPy takes the inverse of a covariance for that wide."""
    must(type(options) is dict and not options.keys() & _NORMS)
    must(all(n == features for each in options.values() for n in np.asarray(each).shape))


def check_centers(clusters: Any) -> None:
    """The same for centers of clusters."""
    kept = vars(clusters)
    if "cluster_centers_" in kept:
        must(len(array(kept["cluster_centers_"], None, kept["n_features_in_"])))


def check_bisecting(clusters: Any) -> None:
    """The same for centers in a tree."""
    kept = vars(clusters)
    if "_bisecting_tree" not in kept:
        return
    features, seen, todo = kept["n_features_in_"], set(), [kept["_bisecting_tree"]]
    if "_X_mean" in kept:
        array(kept["_X_mean"], features)
    while todo:
        node = todo.pop()
        must(id(node) not in seen)
        seen.add(id(node))
        array(node.center, features)
        if node.left is not None:
            todo += [node.left, node.right]


def check_birch(clusters: Any) -> None:
    """The same for centers with their lengths."""
    kept = vars(clusters)
    if "_subcluster_norms" in kept:
        array(kept["_subcluster_norms"], len(kept["subcluster_centers_"]))
