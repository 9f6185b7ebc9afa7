"""Numbers that compiled code takes for lengths or places: refused unless what they mean is there.

By each of these, before it was refused, a prediction read or wrote memory that was not its own.
"""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.cluster import Birch, BisectingKMeans, KMeans
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, KNeighborsTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MultiLabelBinarizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    TargetEncoder,
)
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeRegressor

from app.unpickling import unpickled
from tests.support.pickles import dumped
from tests.unpickling.refusals import assert_refused

DRAW = np.random.default_rng(0)
X, WIDE = DRAW.random((60, 3)), DRAW.random((60, 90))
Y, KINDS = X[:, 0], np.digitize(X[:, 0], [0.3, 0.6])
COUNTED = np.floor(X * 4)

Change = Callable[[Any], Any]


def boosted(**options: Any) -> Any:
    return GradientBoostingRegressor(n_estimators=2, max_depth=2, **options).fit(X, Y)


def histograms(**options: Any) -> Any:
    return HistGradientBoostingRegressor(max_iter=1, min_samples_leaf=5, **options).fit(COUNTED, Y)


def neighbors(**options: Any) -> Any:
    return KNeighborsRegressor(algorithm="brute", **options).fit(X, Y)


def kinds() -> Any:
    return KNeighborsClassifier(algorithm="brute", metric="manhattan").fit(X, KINDS)


def bisecting(**parts: Any) -> Any:
    made = BisectingKMeans(2).fit(X)
    vars(made._bisecting_tree.left).update(parts)
    return made


def spline(**parts: Any) -> Any:
    made = SplineTransformer().fit(X)
    vars(made.bsplines_[1]).update(parts)
    return made


def coded(**options: Any) -> Any:
    return OneHotEncoder(**options).fit(COUNTED)


def with_parts(made: Any, **parts: Any) -> Any:
    vars(made).update(parts)
    return made


def another_tree(wide: Any) -> Any:
    made = boosted()
    made.estimators_[1, 0] = wide
    return made


def of_itself() -> Any:
    made = BisectingKMeans(2).fit(X)
    made._bisecting_tree.left = made._bisecting_tree
    return made


def sparse_weights() -> Any:
    made = SVR().fit(csr_matrix(X), Y)
    made._dual_coef_ = csr_matrix(made._dual_coef_.shape)
    return made


def as_category() -> Any:
    made = histograms(categorical_features=[0])
    made._bin_mapper.is_categorical_ = made._bin_mapper.is_categorical_ * 0
    return made


ONE, FAR = np.zeros(1), np.array([1 << 28], np.int32)
SIMILAR = {"kernel": "precomputed", "_n_support": np.array([1, 0], np.int32), "support_": FAR}

FORGED: dict[str, Callable[[], Any]] = {
    "a later tree of more features": lambda: another_tree(
        DecisionTreeRegressor(max_depth=2).fit(WIDE, WIDE[:, 80])
    ),
    "something else for a tree": lambda: another_tree(Ridge()),
    "binned rows": lambda: with_parts(histograms(), _in_fit=True),
    "a category where there is none": as_category,
    "fewer columns that may be categories": lambda: with_parts(
        histograms(),
        _bin_mapper=HistGradientBoostingRegressor(max_iter=1).fit(X[:, :1], Y)._bin_mapper,
    ),
    "no intercept": lambda: with_parts(SVR().fit(X, Y), _intercept_=np.empty(0)),
    "an intercept for three": lambda: with_parts(SVC().fit(X, KINDS), _intercept_=ONE),
    "another machine": lambda: with_parts(SVR().fit(X, Y), _impl="c_svc"),
    "chances of fewer": lambda: with_parts(SVC().fit(X, KINDS), _probA=ONE, _probB=ONE),
    "a vector beyond the row": lambda: with_parts(
        SVR().fit(X, Y), _dual_coef_=np.ones((1, 1)), support_vectors_=np.ones((1, 3)), **SIMILAR
    ),
    "fewer rows to compare with": lambda: with_parts(
        SVR(kernel=RBF()).fit(X, Y), _BaseLibSVM__Xfit=X[:9]
    ),
    "weights that are not stored": sparse_weights,
    "too few knots": lambda: spline(_t=np.arange(3.0)),
    "knots for more": lambda: spline(_t=np.arange(99.0)),
    "a degree beyond the knots": lambda: spline(k=200),
    "points of fewer features": lambda: with_parts(neighbors(), _fit_X=X[:, :1]),
    "lengths of fewer points": lambda: with_parts(
        neighbors(), effective_metric_params_={"Y_norm_squared": ONE}
    ),
    "a covariance of fewer features": lambda: with_parts(
        neighbors(metric="mahalanobis", metric_params={"VI": np.eye(3)}),
        effective_metric_params_={"VI": np.eye(1)},
    ),
    "lengths of fewer rows": lambda: with_parts(
        kinds(), metric_params={"X_norm_squared": ONE}, metric="euclidean"
    ),
    "a tree of other points": lambda: with_parts(
        KNeighborsRegressor(algorithm="kd_tree").fit(X, Y),
        _tree=KNeighborsRegressor(algorithm="kd_tree").fit(X[:9], Y[:9])._tree,
    ),
    "a graph of fewer points": lambda: with_parts(KNeighborsTransformer().fit(X), n_samples_fit_=6),
    "classes beyond": lambda: with_parts(kinds(), _y=np.full(60, 10**9)),
    "classes of fewer": lambda: with_parts(kinds(), _y=np.zeros(1, int)),
    "centers of more features": lambda: with_parts(
        KMeans(2, n_init=1).fit(X), cluster_centers_=WIDE[:2]
    ),
    "centers within of more features": lambda: bisecting(center=WIDE[0]),
    "centers in a circle": of_itself,
    "a middle of more features": lambda: with_parts(BisectingKMeans(2).fit(X), _X_mean=WIDE[0]),
    "lengths of fewer centers": lambda: with_parts(
        Birch(n_clusters=None, threshold=0.01).fit(X), _subcluster_norms=ONE
    ),
    "places for fewer categories": lambda: with_parts(coded(), _n_features_outs=[1, 1, 1]),
    "places before the first": lambda: with_parts(coded(), _n_features_outs=[10**9, 3, -(10**9)]),
    "categories in disorder": lambda: with_parts(
        coded(), categories_=[each[::-1].copy() for each in coded().categories_]
    ),
    "categories of objects in disorder": lambda: with_parts(
        coded(), categories_=[each[::-1].astype(object) for each in coded().categories_]
    ),
    "a category dropped beyond": lambda: with_parts(
        coded(drop="first"), _drop_idx_after_grouping=np.array([0, 0, -5])
    ),
    "rare categories beyond": lambda: with_parts(
        coded(max_categories=2), _default_to_infrequent_mappings=[np.full(4, 10**9)] * 3
    ),
    "room for more products": lambda: with_parts(PolynomialFeatures().fit(X), _n_out_full=999),
    "room for more interactions": lambda: with_parts(
        PolynomialFeatures(interaction_only=True).fit(X), _n_out_full=999
    ),
    "products beyond counting": lambda: with_parts(
        PolynomialFeatures().fit(X), _max_degree=10**9, n_features_in_=10**9
    ),
    "columns that have no encoding": lambda: with_parts(
        TargetEncoder().fit(COUNTED, Y), encodings_=[np.zeros(4)]
    ),
    "labels beyond": lambda: with_parts(
        MultiLabelBinarizer().fit([[0.5]]), _cached_dict={0.5: 10**9}
    ),
}


@pytest.mark.parametrize("make", FORGED.values(), ids=FORGED)
def test_what_points_beyond_the_arrays_is_refused(make: Callable[[], Any]) -> None:
    assert_refused(dumped(make_pipeline(make(), Ridge())), "does not fit itself")


def test_nodes_of_a_tree_stand_in_an_estimator_alone_which_knows_how_wide_rows_are() -> None:
    tree = DecisionTreeRegressor(max_depth=2).fit(WIDE, WIDE[:, 80]).tree_

    assert_refused(dumped(with_parts(boosted(init=Ridge()), init_=tree)), "nodes of a tree")


def test_trees_write_no_more_answers_than_what_they_add_to_has() -> None:
    """What they add to is what another estimator predicts, which may be of any kind."""
    wide, none = boosted(), boosted()
    wide.estimators_ = np.repeat(wide.estimators_, 5000, axis=1)
    none.init_.n_outputs_ = 0

    for made in (wide, none):
        loaded: Any = unpickled(dumped(made))
        with pytest.raises(ValueError, match="does not fit the others"):
            loaded.predict(X)


def test_boosting_with_categories_reads_no_columns_that_its_transformer_left_out() -> None:
    made = histograms(categorical_features=[0])
    made._preprocessor.transformers_ = made._preprocessor.transformers_[:1]

    loaded: Any = unpickled(dumped(made))

    with pytest.raises(ValueError, match="does not fit the others"):
        loaded.predict(COUNTED)


def test_a_graph_names_no_neighbours_beyond_its_points() -> None:
    first, second = KNeighborsTransformer().fit(X), KNeighborsTransformer(metric="precomputed")
    second.fit(np.zeros((9, 9)))
    loaded: Any = unpickled(dumped(make_pipeline(first, second)))

    with pytest.raises(ValueError, match="indices"):
        loaded.transform(X)


def test_a_guarded_model_is_freed_without_a_search_for_circles() -> None:
    gc.disable()
    try:
        loaded: Any = unpickled(dumped(boosted()))
        known = weakref.ref(loaded)
        del loaded
        assert known() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: histograms(categorical_features=[0]), id="boosting with categories"),
        pytest.param(lambda: boosted(init=Ridge()), id="boosting from a model"),
        pytest.param(
            lambda: make_pipeline(
                PolynomialFeatures((2, 5), interaction_only=True, include_bias=False),
                TargetEncoder(cv=KFold(2)),
                Ridge(),
            ).fit(COUNTED, Y),
            id="products",
        ),
        pytest.param(lambda: SVR(kernel=RBF()).fit(COUNTED, Y), id="machine with a kernel"),
        pytest.param(
            lambda: make_pipeline(OneHotEncoder(max_categories=2), Ridge()).fit(COUNTED, Y),
            id="rare categories",
        ),
        pytest.param(
            lambda: make_pipeline(OneHotEncoder(drop="if_binary"), Ridge()).fit(COUNTED, Y),
            id="categories dropped",
        ),
        pytest.param(
            lambda: make_pipeline(OrdinalEncoder(), SplineTransformer(), Ridge()).fit(COUNTED, Y),
            id="splines",
        ),
        pytest.param(
            lambda: make_pipeline(
                KNeighborsTransformer(), KNeighborsRegressor(metric="precomputed")
            ).fit(COUNTED, Y),
            id="a graph of neighbours",
        ),
    ],
)
def test_what_was_fitted_answers_as_before(make: Callable[[], Any]) -> None:
    made = make()

    loaded: Any = unpickled(dumped(made))

    assert np.array_equal(loaded.predict(COUNTED), made.predict(COUNTED))
