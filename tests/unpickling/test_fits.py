"""Parts of estimators that do not fit one another are refused before compiled code meets them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.random_projection import SparseRandomProjection
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM
from sklearn.tree import DecisionTreeRegressor

from app.unpickling import unpickled
from tests.support.pickles import dumped
from tests.unpickling.refusals import assert_refused
from tests.unpickling.test_states import TREE, forged, state_of

DRAW = np.random.default_rng(0)
X = DRAW.random((60, 3))
Y, KINDS = X[:, 0], np.digitize(X[:, 0], [0.3, 0.6])

MACHINES: dict[str, Callable[[], Any]] = {
    "regression": lambda: SVR().fit(X, Y),
    "regression, sparse": lambda: NuSVR().fit(csr_matrix(X), Y),
    "three classes": lambda: SVC().fit(X, KINDS),
    "two classes": lambda: SVC().fit(X, KINDS > 1),
    "classes, sparse": lambda: SVC(kernel="linear").fit(csr_matrix(X), KINDS),
    "classes by share": lambda: NuSVC(nu=0.2).fit(X, KINDS),
    "one class": lambda: OneClassSVM().fit(X),
    "not fitted": SVR,
}

FORGED: dict[str, Callable[[Any], Any]] = {
    "no vectors": lambda made: {"support_vectors_": made.support_vectors_[:0]},
    "a vector too few": lambda made: {"support_": made.support_[1:]},
    "vectors of fewer features": lambda made: {"support_vectors_": made.support_vectors_[:, :2]},
    "vectors for other rows": lambda _: {"n_features_in_": 2},
    "no weights": lambda made: {"_dual_coef_": made._dual_coef_[:0]},
    "weights of others": lambda made: {"_dual_coef_": made._dual_coef_[:, 1:]},
    "another count": lambda made: {"_n_support": made._n_support[:1]},
    "a larger count": lambda made: {"_n_support": made._n_support + 1},
}


@pytest.mark.parametrize("make", MACHINES.values(), ids=MACHINES)
def test_every_machine_of_support_vectors_loads(make: Callable[[], Any]) -> None:
    made = make()

    loaded: Any = unpickled(dumped(made))

    assert type(loaded) is type(made)


# The count of a sparse regression is not used, and scikit-learn has a wrong one itself.
@pytest.mark.parametrize(
    ("name", "change"),
    [
        (name, change)
        for name in MACHINES
        for change in FORGED
        if name != "not fitted" and (name, change) != ("regression, sparse", "a larger count")
    ],
)
def test_support_vectors_that_do_not_fit_are_refused(name: str, change: str) -> None:
    made = MACHINES[name]()
    vars(made).update(FORGED[change](made))

    assert_refused(dumped(make_pipeline(StandardScaler(), made)), "does not fit itself")


def test_a_sparse_matrix_that_points_beyond_its_columns_is_refused() -> None:
    made = SparseRandomProjection(2, random_state=0).fit(X)
    made.components_.indices[0] = 1 << 30

    assert_refused(dumped(made), "does not fit itself")


def test_boosting_that_looks_beyond_its_features_is_refused() -> None:
    made = HistGradientBoostingRegressor(max_iter=1, min_samples_leaf=5).fit(X, Y)
    made._predictors[0][0].nodes["feature_idx"] = 200_000_000

    assert_refused(dumped(made), "does not fit itself")


@pytest.mark.parametrize("alone", [True, False])
def test_a_tree_of_more_features_than_its_estimator_is_refused(alone: bool) -> None:
    wide = DecisionTreeRegressor(max_depth=2).fit(DRAW.random((60, 90)), Y)
    made: Any = DecisionTreeRegressor(max_depth=2).fit(X, Y)
    made.tree_ = wide.tree_
    if not alone:
        forest = RandomForestRegressor(2).fit(X, Y)
        forest.estimators_[1] = made
        made = forest

    assert_refused(dumped(made), "does not fit itself")


def test_a_tree_without_a_node_is_refused_since_it_would_be_searched_for_ever() -> None:
    state = state_of(TREE)
    none = {"node_count": 0, "nodes": state["nodes"][:0], "values": state["values"][:0]}

    assert_refused(forged(TREE, state | none), "as scikit-learn never does")


def test_a_generator_beyond_its_state_is_refused() -> None:
    random = np.random.RandomState(0)
    state = random.get_state(legacy=False)
    state["state"]["pos"] = 200_000_000
    random.set_state(state)
    made = DummyClassifier(strategy="uniform", random_state=random).fit(X, KINDS)

    assert_refused(dumped(made), "does not fit itself")


def test_a_generator_before_its_buffer_is_refused() -> None:
    random = np.random.RandomState(np.random.Philox(0))
    state = random.get_state(legacy=False)
    state["buffer_pos"] = -(10**9)
    random.set_state(state)

    assert_refused(dumped(DummyClassifier(random_state=random)), "does not fit itself")


@pytest.mark.parametrize("jobs", [-1, 3000])
def test_a_service_has_threads_of_its_own(jobs: int) -> None:
    made = make_pipeline(StandardScaler(), KNeighborsRegressor(n_jobs=jobs)).fit(X, Y)

    loaded: Any = unpickled(dumped(made))

    assert loaded[-1].n_jobs is None
    assert (loaded.predict(X) == made.predict(X)).all()
