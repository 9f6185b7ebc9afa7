"""Support vector machines: libsvm takes all lengths from a few of its arrays."""

from collections.abc import Mapping
from typing import Any

from app.unpickling.conditions import array, descends, must, within


def check_vectors(machine: Any) -> None:
    """Raise ValueError, or what else comes of it, for a machine whose parts do not fit."""
    kept = vars(machine)
    if "support_vectors_" not in kept:
        return  # it was not fitted
    # The class says what it is: another kind would read the same arrays by other rules.
    must(not kept.keys() & {"_impl", "_sparse_kernels"})
    (count,) = kept["support_"].shape
    classes = len(kept["classes_"]) if "classes_" in kept else 2
    parts = array(kept["_n_support"], classes)
    if descends(machine, "BaseSVC"):
        must((parts >= 0).all() and parts.sum() == count)
    else:  # of which a sparse one neither uses them nor has the right ones
        must(kept["_sparse"] or parts[0] == count)
    _check_numbers(kept, classes, count)
    if callable(kept["kernel"]) or kept["kernel"] == "precomputed":
        _check_similarities(kept)
    else:
        features, vectors = machine.n_features_in_, kept["support_vectors_"]
        must(vectors.shape == (count, features) == (count, kept["shape_fit_"][1]))


def _check_numbers(kept: Mapping[str, Any], classes: int, count: int) -> None:
    """Weights for each vector, and an intercept for each pair of classes."""
    pairs, weights = classes * (classes - 1) // 2, kept["_dual_coef_"]
    must(weights.shape == (classes - 1, count))
    if kept["_sparse"]:
        must(kept["support_vectors_"].format == weights.format == "csr")
        must(len(weights.data) == (classes - 1) * count)
    array(kept["_intercept_"], pairs)
    chances = [len(array(kept[name], None)) for name in ("_probA", "_probB")]
    must(chances == [pairs, pairs] or (chances == [0, 0] and not kept["_effective_probability"]))


def _check_similarities(kept: Mapping[str, Any]) -> None:
    """Rows are compared before: vectors are places in what comes of that."""
    rows = kept["shape_fit_"][0]
    must(not kept["_sparse"])
    within(kept["support_"], 0, rows)
    if callable(kept["kernel"]):
        array(kept["_BaseLibSVM__Xfit"], rows, None)
