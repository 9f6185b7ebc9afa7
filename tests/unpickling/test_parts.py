"""What estimators would call, or call by: nothing but what fitted pipelines have there.

Each of these consists of estimators and numbers alone, so that the list of names has no say in it.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn._loss.loss import PinballLoss
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingRegressor, VotingRegressor
from sklearn.feature_selection import SelectFromModel, SelectKBest, f_regression, r_regression
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils import Bunch, check_array

from app.errors import BrokenModel
from app.model import load_model
from app.runtimes import MODEL_FILE
from app.store import Store
from app.unpickling import unpickled
from tests.support.models import PLAIN, described, fitted
from tests.support.pickles import dumped
from tests.unpickling.refusals import assert_refused

X = np.random.default_rng(0).normal(size=(40, 3))
Y = X @ [1.0, 2.0, 3.0]


def with_parts(made: Any, **parts: Any) -> Any:
    """An estimator with attributes as only a forger gives them."""
    vars(made).update(parts)
    return made


def writer(path: Path, content: bytes) -> Pipeline:
    """Writes a file when it predicts: rows become a path, which a part writes itself to."""
    rows = np.empty((3, 3), dtype=object)
    rows[...] = str(path)
    keywords = {"out": rows, "where": False, "dtype": np.dtype(object)}
    stack = with_parts(
        StackingRegressor([("a", LinearRegression())]),
        estimators_=[np.bytes_(content)],
        stack_method_=["tofile"],
        final_estimator_=LinearRegression(),
    )
    redirect = FunctionTransformer(np.positive, kw_args=keywords)
    return Pipeline([("a", redirect), ("b", FunctionTransformer(np.max)), ("c", stack)])


def test_a_model_that_writes_a_file_when_it_predicts_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "written"
    model = writer(path, b"x")
    with pytest.raises(AttributeError):
        model.predict(np.zeros((3, 3)))  # it does
    assert path.read_bytes() == b"x"
    path.unlink()
    root = tmp_path / "models"
    description = described(PLAIN, fitted(PLAIN))
    Store(root).publish("tiny", description, {MODEL_FILE: dumped(model)})

    with pytest.raises(BrokenModel):
        load_model(Store(root), "tiny", 1)

    assert not path.exists()


REDIRECTED = {"out": np.zeros(3)}

NUMBERS: dict[str, Any] = {"dtype": [np.float64], "ensure_all_finite": False}

FORGED: dict[str, Callable[[], Any]] = {
    "a method of a part by name": lambda: with_parts(
        StackingRegressor([("a", Ridge())]), stack_method_=["tofile"]
    ),
    "a method by name, alone": lambda: with_parts(
        StackingRegressor([("a", Ridge())]), stack_method="tofile"
    ),
    "a method by an object": lambda: with_parts(
        StackingRegressor([("a", Ridge())]), stack_method_=[["predict"]]
    ),
    "keywords of a function": lambda: FunctionTransformer(np.positive, kw_args=REDIRECTED),
    "keywords of its inverse": lambda: FunctionTransformer(np.exp, inv_kw_args=REDIRECTED),
    "a function of all rows": lambda: FunctionTransformer(np.max),
    "a type for a function": lambda: FunctionTransformer(np.bytes_),
    "a measure for a function": lambda: FunctionTransformer(mean_squared_error),
    "an elementwise function for a measure": lambda: SelectKBest(np.add),
    "a type of objects": lambda: OneHotEncoder(dtype=np.object_),
    "a function for a method": lambda: with_parts(LinearRegression(), predict=np.positive),
    "an estimator for a method": lambda: with_parts(LinearRegression(), predict=Ridge()),
    "a number for a property": lambda: with_parts(Pipeline([("a", Ridge())]), classes_=1.0),
    "a function among parts": lambda: Pipeline([("a", np.positive)]),
    "a type among columns": lambda: ColumnTransformer([("a", StandardScaler(), [np.float64])]),
    "a function for a part": lambda: FrozenEstimator(np.positive),
    "a function within a part": lambda: VotingRegressor([("a", Bunch(predict=np.positive))]),
    "a function among objects": lambda: with_parts(
        Ridge(), coef_=np.array([None, np.positive], dtype=object)
    ),
    "a function behind a mask": lambda: with_parts(
        Ridge(), coef_=np.ma.MaskedArray(np.array([None, np.add], dtype=object), mask=[False, True])
    ),
    "a function as a key": lambda: with_parts(Ridge(), kept={np.positive: 1.0}),
    "frames": lambda: StandardScaler().set_output(transform="pandas"),
    "a private attribute of a part": lambda: SelectFromModel(
        Ridge(), importance_getter="a.__class__"
    ),
    "a loss for a distance": lambda: with_parts(
        KNeighborsRegressor(), metric=PinballLoss(), effective_metric_=PinballLoss()
    ),
    "a loss for a kernel": lambda: KernelRidge(kernel=PinballLoss()),
    "a check with other options": lambda: FunctionTransformer(partial(check_array, copy=True)),
    "a check with an argument": lambda: FunctionTransformer(partial(check_array, True, **NUMBERS)),
    "a check of nothing": lambda: FunctionTransformer(partial(check_array)),
    "another function with options": lambda: FunctionTransformer(partial(np.positive, **NUMBERS)),
    "a function that finds an attribute": lambda: SelectFromModel(
        Ridge(), importance_getter=np.positive
    ),
}


def addressed(**keys: Any) -> Any:
    """Passes for an array, and says where in memory that is."""
    made, where = LinearRegression(), Bunch(ndim=1, **keys)
    where["__array_interface__"] = {
        "data": (4096, False),
        "shape": (3,),
        "typestr": "|u1",
        "version": 3,
    }
    return with_parts(made, coef_=where, intercept_=0.0)


def test_nothing_passes_for_an_array_by_an_address() -> None:
    assert_refused(dumped(addressed()), "as no estimator does")
    assert_refused(dumped([addressed(shape=(3,))]), "as no estimator does")


def test_no_address_is_followed_while_others_are_filled() -> None:
    """It was, with a crash, before what had been made was looked at."""
    made = IsotonicRegression().fit(Y, Y)
    made.X_thresholds_ = made.y_thresholds_ = addressed().coef_

    assert_refused(dumped(made), "as no estimator does")


def test_what_a_search_has_tried_is_looked_at_since_it_can_be_looked_up() -> None:
    chosen = SelectFromModel(Ridge(), importance_getter="cv_results_")
    chosen.estimator_ = with_parts(Ridge(), cv_results_={"a": with_parts(Ridge(), coef_=np.add)})

    assert_refused(dumped(chosen), "keep no function")


@pytest.mark.parametrize("name", ["n_jobs", "verbose", "_n_threads"])
def test_threads_and_lines_beside_the_log_are_the_services_own_affair(name: str) -> None:
    loaded: Any = unpickled(dumped(with_parts(Ridge(), **{name: -(2**31)})))

    assert vars(loaded)[name] in (None, 0, 1)


def test_threads_are_asked_for_by_no_keyword_either() -> None:
    made = KernelRidge(kernel="rbf", kernel_params={"n_jobs": 3000}).fit(X, Y)

    loaded: Any = unpickled(dumped(made))

    assert loaded.kernel_params == {}
    assert np.allclose(loaded.predict(X), KernelRidge(kernel="rbf").fit(X, Y).predict(X))


@pytest.mark.parametrize("make", FORGED.values(), ids=FORGED)
def test_what_no_fitted_pipeline_has_is_refused(make: Callable[[], Any]) -> None:
    assert_refused(dumped(make()))
    assert_refused(dumped(make_pipeline(StandardScaler(), make())))


def test_a_list_that_changes_behind_its_estimator_is_looked_at_as_well() -> None:
    shared: list[Any] = []
    late = {"first": with_parts(Ridge(), kept=shared), "then": shared}
    shared.append(late)
    shared.append(np.positive)

    assert_refused(dumped(late["first"]))


def test_what_a_search_has_tried_is_kept() -> None:
    grid = {"best__score_func": [f_regression, r_regression]}
    pipeline = Pipeline([("best", SelectKBest(k=2)), ("regress", Ridge())])
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, np.abs(Y))

    loaded: Any = unpickled(dumped(search))

    assert (loaded.predict(X) == search.predict(X)).all()
    assert loaded.best_params_ == search.best_params_


@pytest.mark.parametrize("getter", ["coef_", "named_steps.a.coef_", "auto"])
def test_a_way_to_public_attributes_is_kept(getter: str) -> None:
    made = SelectFromModel(Ridge(), importance_getter=getter)

    loaded: Any = unpickled(dumped(made))

    assert loaded.importance_getter == getter
