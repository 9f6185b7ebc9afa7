"""A model is trusted once it was verified, loaded, and has answered its golden rows as recorded."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from app.compiled import Plan
from app.errors import BrokenModel, InvalidInput, UnknownModel
from app.manifest import Golden
from app.model import is_close, load_model
from app.runtimes import MODEL_FILE, dump
from app.store import Reader, Store
from tests.support.models import (
    MIXED,
    PLAIN,
    SINGLE,
    described,
    fitted,
    publish,
)

ROW = (1.0, 2.0, 0.5)
ANSWER = float(fitted(PLAIN).predict([ROW])[0])


def linear(slope: float, intercept: float, features: int = 3) -> LinearRegression:
    """A regression with these numbers."""
    regression = LinearRegression()
    regression.coef_ = np.full(features, slope)
    regression.intercept_ = intercept
    return regression


def answering(answers: Any) -> Any:
    """A regression whose answers have more than one value a row."""
    return LinearRegression().fit(np.zeros((len(answers), 3)), answers)


def saying(word: str) -> Any:
    """A classifier that answers with a word."""
    return DummyClassifier(strategy="constant", constant=word).fit([[0.0] * 3], [word])


@pytest.mark.parametrize("schema", [PLAIN, MIXED, SINGLE], ids=["plain", "mixed", "single"])
def test_a_model_that_reproduces_its_golden_rows_is_loaded(tmp_path: Path, schema: Any) -> None:
    publish(tmp_path, "tiny", schema)

    model = load_model(Reader(tmp_path), "tiny", 1)

    golden = model.manifest.description.golden
    assert model.label == "tiny/1"
    assert model.schema == schema
    assert len(golden.x) == len(golden.y) > 0


@pytest.mark.parametrize(
    ("golden", "says"),
    [
        pytest.param(Golden((ROW,), (ANSWER + 1e-6,)), "differ from its golden", id="off"),
        pytest.param(Golden((), ()), "no golden rows", id="none"),
        pytest.param(Golden((ROW,), ()), "no golden rows", id="no answers"),
        pytest.param(Golden((ROW, ROW), (ANSWER,)), "no golden rows", id="fewer answers"),
        pytest.param(Golden(((1.0,),), (ANSWER,)), "golden rows are refused: row 0", id="short"),
        pytest.param(Golden((("1", 2.0, 0.5),), (ANSWER,)), "are refused: row 0", id="text"),
        pytest.param(Golden(((None, 2.0, 0.5),), (ANSWER,)), "are refused: row 0", id="missing"),
    ],
)
def test_a_model_whose_golden_rows_do_not_prove_it_is_refused(
    tmp_path: Path, golden: Golden, says: str
) -> None:
    publish(tmp_path, golden=golden)

    with pytest.raises(BrokenModel, match=says):
        load_model(Reader(tmp_path), "tiny", 1)


def test_a_golden_answer_may_be_off_by_what_rounding_does(tmp_path: Path) -> None:
    publish(tmp_path, golden=Golden((ROW,), (ANSWER * (1 + 1e-12),)))

    assert load_model(Reader(tmp_path), "tiny", 1).label == "tiny/1"


@pytest.mark.parametrize(
    ("answers", "golden", "close"),
    [
        ([1.5e-10, 2e-10], [1e-10, 2e-10], False),
        ([1e-10, 2e-10], [1e-10, 2e-10], True),
        ([1e12, 1e-4], [1e12, 0.0], True),
        ([0.0], [0.0], True),
    ],
    ids=["off in a small unit", "right in a small unit", "near 0 in a large unit", "all 0"],
)
def test_the_unit_of_the_target_does_not_decide_whether_a_model_is_proven(
    answers: list[float], golden: list[float], close: bool
) -> None:
    assert is_close(np.array(answers), np.array(golden)) is close


@pytest.mark.parametrize(
    ("estimator", "says"),
    [
        pytest.param(fitted(SINGLE), r"fails on its golden rows \(ValueError\)", id="1 feature"),
        pytest.param(fitted(MIXED), r"fails on its golden rows \(ValueError\)", id="4 features"),
        pytest.param(linear(0.0, float("nan")), "golden rows are refused: row 0", id="NaN"),
        pytest.param(linear(0.0, float("inf")), "golden rows are refused: row 0", id="infinity"),
        pytest.param(saying("text"), r"fails on its golden rows \(ValueError\)", id="text"),
        pytest.param(
            answering([[1.0, 2.0]] * 2), "differ from its golden ones", id="two answers a row"
        ),
        pytest.param(
            LinearRegression(), r"fails on its golden rows \(NotFittedError\)", id="not fitted"
        ),
        pytest.param(fitted(PLAIN, seed=1), "differ from its golden ones", id="another model"),
    ],
)
def test_a_model_that_answers_wrongly_or_not_at_all_is_refused(
    tmp_path: Path, estimator: Any, says: str
) -> None:
    description = described(PLAIN, fitted(PLAIN))
    Store(tmp_path).publish("tiny", description, {MODEL_FILE: dump(estimator)})

    with pytest.raises(BrokenModel, match=says) as caught:
        load_model(Reader(tmp_path), "tiny", 1)

    assert "Error: " not in caught.value.message


def test_a_version_that_does_not_exist_is_unknown(tmp_path: Path) -> None:
    publish(tmp_path)

    with pytest.raises(UnknownModel, match="there is no version 2 of a model named 'tiny'"):
        load_model(Reader(tmp_path), "tiny", 2)


def test_an_answer_that_is_not_finite_is_an_error_that_names_the_row_and_no_warning(
    tmp_path: Path,
) -> None:
    publish(tmp_path, "big", SINGLE, estimator=linear(1e300, 0.0, 1))
    model = load_model(Reader(tmp_path), "big", 1)

    with pytest.raises(InvalidInput, match=r"row 1: .* no finite answer"):
        model.predict(np.array([[1.0], [1e99]]))


@pytest.mark.parametrize("row", [0, 3, 6])
def test_values_that_the_estimator_does_not_take_are_the_clients_error_and_name_the_row(
    tmp_path: Path, row: int
) -> None:
    # Trees work with float32, which ends at 3.4e38.
    publish(tmp_path, "tree", SINGLE, estimator=DecisionTreeRegressor().fit([[0.0], [1.0]], [2, 3]))
    model = load_model(Reader(tmp_path), "tree", 1)
    x = np.zeros((7, 1))
    x[row] = 1e39

    with pytest.raises(InvalidInput, match=f"^row {row}: .* may be too large for it$"):
        model.predict(x)

    assert model.predict(np.delete(x, row, axis=0)).tolist() == [2.0] * 6


def test_null_that_a_schema_allows_and_its_estimator_does_not_take_is_named(tmp_path: Path) -> None:
    schema = replace(SINGLE, features=(replace(SINGLE.features[0], missing=True),))
    estimator = linear(1.0, 0.0, 1)
    description = replace(described(SINGLE, estimator), schema=schema)
    Store(tmp_path).publish("tiny", description, {MODEL_FILE: dump(estimator)})
    model = load_model(Reader(tmp_path), "tiny", 1)

    with pytest.raises(InvalidInput, match=r"^row 1: .* it may not take null$"):
        model.predict(np.array([[2.0], [np.nan]]))


def test_an_estimator_that_fails_on_its_golden_rows_too_is_not_the_clients_error(
    tmp_path: Path,
) -> None:
    publish(tmp_path)
    broken = replace(load_model(Reader(tmp_path), "tiny", 1), predictor=fitted(SINGLE))

    with pytest.raises(ValueError, match="expecting 1 features"):
        broken.predict(np.zeros((5, 3)))


def test_answers_are_one_finite_float64_a_row(tmp_path: Path) -> None:
    publish(tmp_path)

    y = load_model(Reader(tmp_path), "tiny", 1).predict(np.zeros((5, 3)))

    assert y.dtype == np.float64
    assert y.shape == (5,)
    assert np.isfinite(y).all()


def test_compiled_code_that_reads_golden_rows_otherwise_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, "tiny", PLAIN, linear=True)
    if load_model(Reader(tmp_path), "tiny", 1).plan is None:
        pytest.skip("the compiled code was not built: python -m app.compiled")

    for name in ("read", "answer"):
        right = getattr(Plan, name)
        with monkeypatch.context() as changed:
            changed.setattr(Plan, name, lambda *asked, right=right: right(*asked) + 1e-12)
            model = load_model(Reader(tmp_path), "tiny", 1)

        assert model.plan is None
        assert model.answer_plain(b'{"x":[1,2,0.5]}', b'"x"', 10) is None
