"""What scikit-learn fits to a table loads, and answers as before, with the list as it is."""

import io
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import joblib
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.feature_selection import SelectKBest, mutual_info_regression
from sklearn.impute._iterative import IterativeImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LassoCV, LinearRegression, LogisticRegression, Ridge, SGDRegressor
from sklearn.model_selection import GridSearchCV, RepeatedKFold, ShuffleSplit
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.utils import all_estimators

from app.errors import BrokenModel
from app.unpickling import unpickled

X, Y = load_diabetes(return_X_y=True)
X, Y = np.abs(X[:120] * 10), Y[:120]
KINDS = np.digitize(Y, [100, 200])

NOT_FOR_TABLES = {"FeatureHasher", "HashingVectorizer", "PatchExtractor", "TfidfTransformer"}
"""Of sklearn.feature_extraction, which is left out: some of it opens files by name."""

ARGUMENTS: dict[str, dict[str, Any]] = {
    name: {"n_components": count}
    for name, count in (("CCA", 1), ("PLSCanonical", 1), ("PLSSVD", 1))
} | {"SparseRandomProjection": {"n_components": 3}, "GaussianRandomProjection": {"n_components": 3}}


def ways(kind: Any, inner: Any, name: str) -> Iterator[Callable[[], Any]]:
    """Ways to make an estimator: alone, around another, around several, with a grid."""
    yield lambda: kind(**ARGUMENTS.get(name, {}))
    yield lambda: kind(inner)
    yield lambda: kind([("inner", inner)])
    yield lambda: kind(inner, {"fit_intercept": [True, False]})


def fitted(name: str, kind: Any, target: Any, inner: Any) -> Any:
    """An estimator fitted to the table, None if this table cannot be fitted to."""
    for make in ways(kind, inner, name):
        try:
            return make().fit(X, target)
        except Exception:  # noqa: BLE001 - whatever it wants, this is not it
            continue
    return None


def dumped(estimator: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(estimator, file, **options)
    return file.getvalue()


def answers(estimator: Any) -> Any:
    answer = estimator.predict(X) if hasattr(estimator, "predict") else estimator.transform(X)
    return answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)


def refused(kind: str, least: int) -> set[str]:
    """Those of a kind that do not load; at least so many must have been fitted."""
    found, count = set(), 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, made in all_estimators(type_filter=kind):
            classifies = kind == "classifier" or "lassif" in name
            inner = LogisticRegression() if classifies else LinearRegression()
            estimator = fitted(name, made, KINDS if classifies else Y, inner)
            if estimator is None:
                continue
            count += 1
            try:
                loaded: Any = unpickled(dumped(estimator))
            except BrokenModel:
                found.add(name)
                continue
            if hasattr(estimator, "predict") or hasattr(estimator, "transform"):
                assert np.array_equal(answers(loaded), answers(estimator), equal_nan=True), name
    assert count >= least
    return found


def test_every_regressor_loads_and_answers_as_before() -> None:
    assert refused("regressor", 45) == set()


def test_every_classifier_loads_and_answers_as_before() -> None:
    assert refused("classifier", 36) == set()


def test_every_transformer_of_tables_loads_and_answers_as_before() -> None:
    assert refused("transformer", 65) == NOT_FOR_TABLES


@pytest.mark.parametrize(
    "estimator",
    [
        pytest.param(make_pipeline(StandardScaler(), Ridge()), id="pipeline"),
        pytest.param(
            make_pipeline(
                FunctionTransformer(np.log1p), SelectKBest(mutual_info_regression, k=3), Ridge()
            ),
            id="functions as parameters",
        ),
        pytest.param(
            TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1), id="target"
        ),
        pytest.param(
            make_pipeline(
                ColumnTransformer(
                    [("a", StandardScaler(), slice(0, 4)), ("b", OneHotEncoder(), [1])]
                ),
                Ridge(),
            ),
            id="columns",
        ),
        pytest.param(GridSearchCV(Ridge(), {"alpha": [1, 2]}, scoring="r2"), id="grid"),
        pytest.param(GridSearchCV(Ridge(), [{"alpha": [1]}, {"tol": [1e-3]}]), id="ragged grid"),
        pytest.param(GridSearchCV(Ridge(), {"alpha": [1, 2]}, cv=ShuffleSplit(2)), id="shuffled"),
        pytest.param(LassoCV(cv=RepeatedKFold(n_splits=2, n_repeats=2)), id="repeated folds"),
        pytest.param(make_pipeline(OneHotEncoder(), SVR()), id="sparse rows"),
        pytest.param(GradientBoostingRegressor(loss="huber", n_estimators=5), id="huber"),
        pytest.param(
            SGDRegressor(loss="epsilon_insensitive", random_state=0, tol=None, max_iter=9), id="sgd"
        ),
        pytest.param(
            KNeighborsRegressor(algorithm="ball_tree", metric="manhattan"), id="ball tree"
        ),
        pytest.param(
            RandomForestRegressor(5, random_state=np.random.RandomState(3)), id="random state"
        ),
    ],
)
def test_what_people_build_loads_and_answers_as_before(estimator: Any) -> None:
    estimator.fit(X, Y)

    loaded = unpickled(dumped(estimator))

    assert (answers(loaded) == answers(estimator)).all()


@pytest.mark.parametrize("target", [Y, np.ones_like(Y)], ids=["steps", "a constant"])
def test_isotonic_regression_loads_which_takes_one_feature(target: Any) -> None:
    """The search through all regressors has more, and does not reach it."""
    estimator = IsotonicRegression(out_of_bounds="clip").fit(X[:, :1], target)

    loaded: Any = unpickled(dumped(estimator))

    assert (loaded.predict(X[:, :1]) == estimator.predict(X[:, :1])).all()


def test_an_imputer_in_turns_loads_that_had_something_to_impute() -> None:
    holes = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    estimator = make_pipeline(IterativeImputer(tol=1e9, random_state=0), Ridge()).fit(holes, Y)

    loaded: Any = unpickled(dumped(estimator))

    assert (loaded.predict(holes) == estimator.predict(holes)).all()


def test_sparse_parts_load() -> None:
    estimator = SVC(kernel="linear").fit(csr_matrix(X), KINDS)

    loaded: Any = unpickled(dumped(estimator))

    assert (loaded.predict(csr_matrix(X)) == estimator.predict(csr_matrix(X))).all()


@pytest.mark.parametrize("compress", ["zlib", "gzip", "bz2", "xz", "lzma"])
def test_compressed_files_load(compress: Any) -> None:
    estimator = LinearRegression().fit(X, Y)

    loaded = unpickled(dumped(estimator, compress=(compress, 3)))

    assert (answers(loaded) == answers(estimator)).all()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_that_joblib_writes_loads(protocol: int) -> None:
    estimator = GradientBoostingRegressor(n_estimators=3).fit(X, Y)

    loaded = unpickled(dumped(estimator, protocol=protocol))

    assert (answers(loaded) == answers(estimator)).all()


def test_arrays_keep_order_type_and_identity() -> None:
    shared = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    estimator = LinearRegression().fit(X, Y)
    words = np.array([["a", None], [1.5, shared]], dtype=object)
    estimator.kept = {"f": shared, "big": shared.astype(">f8"), "o": words, "twice": [words, words]}
    estimator.more = (np.zeros((0, 3)), np.array(1.0), np.bool_(True), np.array(["x", "yz"]))

    loaded: Any = unpickled(dumped(estimator))

    kept = loaded.kept
    assert kept["f"].flags.f_contiguous
    assert kept["big"].dtype == np.dtype("f8")
    assert (kept["f"] == shared).all()
    assert (kept["big"] == shared).all()
    assert kept["o"].shape == (2, 2)
    assert (kept["o"][1, 1] == shared).all()
    assert list(kept["o"][0]) == ["a", None]
    empty, one, true, texts = loaded.more
    assert (empty.shape, one.shape, true, list(texts)) == ((0, 3), (), True, ["x", "yz"])
    assert loaded.coef_.flags.writeable
