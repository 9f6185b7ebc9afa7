"""What compiled code is filled with: checked, because it would believe anything."""

import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import DistanceMetric
from sklearn.neighbors import BallTree, KDTree
from sklearn.tree import DecisionTreeRegressor

from app.errors import BrokenModel
from app.unpickling import unpickled
from tests.support.pickles import named
from tests.support.server import ROOT
from tests.unpickling.mutants import MUTANTS

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(100, 3))
Y = X[:, 0]
KINDS = np.column_stack([X[:, 0], DRAW.integers(0, 4, 100)])

BOXES, BALLS = KDTree(X, leaf_size=10), BallTree(X, leaf_size=10)
TREE = DecisionTreeRegressor(max_depth=3, random_state=0).fit(X, Y).tree_
PREDICTOR = (
    HistGradientBoostingRegressor(max_iter=1, categorical_features=[1], min_samples_leaf=5)
    .fit(KINDS, KINDS[:, 1])
    ._predictors[0][0]
)


class Forged:
    """Pickled, it is what another object is pickled as, with another state."""

    def __init__(self, original: Any, state: Any) -> None:
        self.reduced = (*original.__reduce_ex__(4)[:2], state)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reduced


def forged(original: Any, state: Any) -> bytes:
    """A pickle of an object with another state."""
    if original is PREDICTOR:
        kind = type(original)
        made = named(kind.__module__, kind.__qualname__) + b")\x81"
        return b"\x80\x04" + made + pickle.dumps(state, 4)[2:-1] + b"b."
    return pickle.dumps(Forged(original, state), 4)


def state_of(original: Any) -> Any:
    """Its state, a copy deep enough to be changed."""
    return pickle.loads(pickle.dumps(original.__reduce_ex__(4)[2]))


def part(number: int, value: Any) -> Callable[[Any], Any]:
    """Put something in the place of a part of a tuple."""
    return lambda state: (*state[:number], value, *state[number + 1 :])


def entry(field: str, node: int, value: Any) -> Callable[[Any], Any]:
    """Put something into a node."""

    def change(state: Any) -> Any:
        nodes = state["nodes"] if isinstance(state, dict) else state[2]
        nodes[field][node] = value
        return state

    return change


def key(name: str, value: Any) -> Callable[[Any], Any]:
    """Put something in the place of an entry of a dict."""
    return lambda state: state | {name: value}


def metric(name: str, **options: Any) -> Any:
    return DistanceMetric.get_metric(name, **options)


def last_inner(nodes: Any, leaf: str) -> int:
    return int(np.flatnonzero(nodes[leaf] == 0)[-1])


def point(value: int) -> Callable[[Any], Any]:
    """Put something into the order of the points."""
    order = BOXES.__getstate__()[1].copy()
    order[7] = value
    return part(1, order)


OF_POINTS = {
    "no points": part(0, None),
    "points of one dimension": part(0, np.zeros(100)),
    "a point beyond": point(100),
    "a point before": point(-1),
    "fewer in order": part(1, np.arange(99)),
    "no nodes": part(2, None),
    "a node that ends beyond": entry("idx_end", 0, 101),
    "a node that begins before": entry("idx_start", 3, -1),
    "a node that ends before it begins": entry("idx_start", 3, 99),
    "a lowest node that is no leaf": entry("is_leaf", 14, 0),
    "bounds of fewer": part(3, np.zeros((2, 14, 3))),
    "more levels": part(5, 5),
    "no levels": part(5, 0),
    "a count of another kind": part(7, "0"),
    "another count": part(6, 16),
    "no distance": part(11, None),
    "a distance of another precision": part(11, metric("euclidean", dtype=np.float32)),
    "a distance of fewer features": part(11, metric("seuclidean", V=np.ones(2))),
    "a distance on a globe": part(11, metric("haversine")),
    "a distance of other features": part(11, metric("mahalanobis", V=np.eye(4))),
    "weights of fewer": part(12, np.ones(99)),
    "fewer parts": lambda state: state[:-1],
    "no parts": lambda _: (),
}
OF_DECISIONS = {
    "a child beyond": entry("left_child", 0, 10**9),
    "a child before": entry("right_child", 0, -5),
    "a circle": entry("right_child", 1, 0),
    "itself": entry("left_child", 1, 1),
    "a feature beyond": entry("feature", 0, 3),
    "a feature before": entry("feature", 0, -3),
    "fewer nodes than it says": key("node_count", 99),
    "no nodes": key("nodes", None),
    "no state": lambda _: {"a": 1},
}
LAST = last_inner(PREDICTOR.nodes, "is_leaf")
OF_HISTOGRAMS = {
    "a child beyond": entry("left", 0, 10**9),
    "a circle": entry("right", LAST, 0),
    "a feature before": entry("feature_idx", 0, -1),
    "a set beyond": entry("bitset_idx", 0, 9),
    "sets of another size": key("raw_left_cat_bitsets", np.zeros((9, 7), np.uint32)),
    "no nodes": key("nodes", None),
    "nodes of none": key("nodes", PREDICTOR.nodes[:0]),
}
CASES = [
    pytest.param(original, change, id=f"{type(original).__name__}: {name}")
    for original, changes in (
        (BOXES, OF_POINTS),
        (BALLS, OF_POINTS),
        (TREE, OF_DECISIONS),
        (PREDICTOR, OF_HISTOGRAMS),
    )
    for name, change in changes.items()
]


@pytest.mark.parametrize(("original", "change"), CASES)
def test_a_state_that_would_lead_compiled_code_astray_is_refused(
    original: Any, change: Callable[[Any], Any]
) -> None:
    data = forged(original, change(state_of(original)))

    with pytest.raises(BrokenModel, match="as scikit-learn never does"):
        unpickled(data)


@pytest.mark.parametrize(
    "original", [BOXES, BALLS, TREE, PREDICTOR], ids=lambda o: type(o).__name__
)
def test_their_own_states_are_taken(original: Any) -> None:
    loaded = unpickled(forged(original, state_of(original)))

    assert type(loaded) is type(original)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("minkowski", {"p": 3}),
        ("minkowski", {"p": 3, "w": np.ones(3)}),
        ("seuclidean", {"V": np.ones(3)}),
        ("chebyshev", {}),
    ],
)
def test_trees_by_other_distances_are_taken(name: str, options: dict[str, Any]) -> None:
    original = BallTree(X, metric=name, **options)

    loaded: Any = unpickled(pickle.dumps(original, 4))

    assert (loaded.query(X, 2)[0] == original.query(X, 2)[0]).all()


@pytest.mark.parametrize("state", [None, (1.0, None, None), ("2", np.zeros(1), np.zeros((1, 1)))])
def test_a_distance_of_other_parts_is_refused(state: Any) -> None:
    with pytest.raises(BrokenModel, match="EuclideanDistance64 as scikit-learn never does"):
        unpickled(pickle.dumps(Forged(metric("euclidean"), state or (1,)), 4))


@pytest.mark.parametrize("classes", [0, -1])
def test_a_tree_whose_nodes_have_no_values_is_refused(classes: int) -> None:
    """They were read all the same."""
    state = state_of(TREE)
    made = Forged(TREE, state | {"values": state["values"][:, :, :0]})
    kind, (features, _classes, outputs), filled = made.reduced
    made.reduced = kind, (features, np.array([classes]), outputs), filled

    with pytest.raises(BrokenModel, match="as scikit-learn never does"):
        unpickled(pickle.dumps(made, 4))


def test_thousands_of_damaged_pickles_are_read_without_a_crash() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", "tests.unpickling.mutants"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert 0 < int(done.stdout) < MUTANTS  # numbers within arrays may be any
