"""Runtimes: only what was made with the libraries that are here becomes something that predicts."""

import pickle
import platform
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.errors import BrokenModel
from app.manifest import Digest, Manifest
from app.runtimes import LINEAR, MODEL_FILE, dump, installed, load
from tests.support.models import MIXED, PLAIN, described, fitted, linear_numbers

ESTIMATOR = fitted(PLAIN)


def manifest(**changes: Any) -> Manifest:
    """Of a model that is good but for these changes to its description."""
    description = replace(described(PLAIN, ESTIMATOR), **changes)
    return Manifest("tiny", 1, "2026-01-01T00:00:00Z", description, {MODEL_FILE: Digest.of(b"")})


def other(version: str, part: int) -> str:
    """A version that differs in this part, counted from 0."""
    parts = version.split(".")
    parts[part] = str(int(parts[part]) + 1)
    return ".".join(parts)


def with_library(name: str, version: str) -> dict[str, str]:
    return installed() | {name: version}


def test_the_installed_versions_name_python_and_what_a_model_depends_on() -> None:
    found = installed()

    assert found["python"] == platform.python_version()
    assert found["numpy"] == np.__version__
    assert set(found) == {"python", "scikit-learn", "numpy", "scipy", "joblib"}


def test_an_estimator_predicts_the_same_after_dump_and_load() -> None:
    matrix = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])

    predictor = load(manifest(), {MODEL_FILE: dump(ESTIMATOR)})

    assert (predictor.predict(matrix) == ESTIMATOR.predict(matrix)).all()


@pytest.mark.parametrize(
    ("name", "part"),
    [("python", 0), ("python", 1), ("scikit-learn", 0), ("scikit-learn", 1), ("numpy", 0)],
)
def test_a_pickle_from_another_library_is_refused_with_both_versions_and_the_fix(
    name: str, part: int
) -> None:
    here = installed()[name]
    there = other(here, part)

    with pytest.raises(BrokenModel) as caught:
        load(manifest(libraries=with_library(name, there)), {MODEL_FILE: dump(ESTIMATOR)})

    assert caught.value.message == (
        f"it was trained with {name} {there}, this service runs {name} {here}: "
        f"train it again here, or install {name} {there}"
    )


@pytest.mark.parametrize(("name", "part"), [("python", 2), ("scikit-learn", 2), ("numpy", 1)])
def test_a_pickle_from_a_neighbouring_release_is_loaded(name: str, part: int) -> None:
    libraries = with_library(name, other(installed()[name], part))

    predictor = load(manifest(libraries=libraries), {MODEL_FILE: dump(ESTIMATOR)})

    assert predictor.predict(np.zeros((1, 3))).shape == (1,)


def test_a_pickle_of_unknown_origin_is_refused() -> None:
    libraries = {"python": platform.python_version()}

    with pytest.raises(BrokenModel, match="does not say which scikit-learn it was trained with"):
        load(manifest(libraries=libraries), {MODEL_FILE: dump(ESTIMATOR)})


def test_the_versions_are_compared_before_anything_is_unpickled() -> None:
    libraries = with_library("scikit-learn", "0.1")

    with pytest.raises(BrokenModel, match=r"it was trained with scikit-learn 0\.1"):
        load(manifest(libraries=libraries), {MODEL_FILE: b"no pickle at all"})


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"", "cannot be loaded", id="empty"),
        pytest.param(b"\x80", "cannot be loaded", id="cut"),
        pytest.param(dump(ESTIMATOR)[:-20], "cannot be loaded", id="cut at the end"),
        pytest.param(b"\x80\x04\x94.", r"cannot be loaded \(IndexError\)", id="raises"),
        pytest.param(
            pickle.dumps(Counter("secret"), 4),
            r"cannot be loaded: it needs collections.Counter, which fitted",
            id="another class",
        ),
        pytest.param(pickle.dumps({"a": 1}), "holds no model: it has no predict", id="no model"),
    ],
)
def test_a_file_that_gives_no_model_is_refused_without_its_own_words(
    data: bytes, says: str
) -> None:
    with pytest.raises(BrokenModel, match=says) as caught:
        load(manifest(), {MODEL_FILE: data})

    assert "secret" not in caught.value.message


def test_a_manifest_without_a_model_file_is_refused() -> None:
    with pytest.raises(BrokenModel, match=r"lists no model\.joblib"):
        load(manifest(), {})


def test_a_runtime_that_is_not_known_is_refused() -> None:
    with pytest.raises(BrokenModel, match="needs the runtime 'onnx', which is not installed"):
        load(manifest(runtime="onnx"), {})


@pytest.mark.parametrize("schema", [PLAIN, MIXED], ids=["numbers", "mixed"])
def test_a_linear_model_is_served_by_its_numbers_whatever_made_them(schema: Any) -> None:
    estimator = fitted(schema)
    description = replace(
        described(schema, estimator),
        runtime=LINEAR,
        linear=linear_numbers(schema, estimator),
        libraries={},
    )
    made = Manifest("tiny", 1, "2026-01-01T00:00:00Z", description, {})
    matrix = np.zeros((2, len(schema.features)))

    assert np.allclose(load(made, {}).predict(matrix), estimator.predict(matrix))


@pytest.mark.parametrize(
    "linear",
    [
        None,
        {},
        {"intercept": "x", "coefficients": {}, "categories": {}, "missing": {}},
        {"intercept": 0.0, "coefficients": {}, "categories": {}, "missing": {}},
        {"intercept": 0.0, "coefficients": 1, "categories": {}, "missing": {}},
        {"intercept": 0.0, "coefficients": {}, "categories": {}, "missing": []},
        {"intercept": 0.0, "coefficients": {}, "categories": {"width": [1.0]}, "missing": {}},
    ],
    ids=repr,
)
def test_linear_numbers_that_do_not_fit_are_refused(linear: Any) -> None:
    with pytest.raises(BrokenModel, match="linear numbers in its manifest do not fit"):
        load(manifest(runtime=LINEAR, linear=linear), {})


def test_by_choice_the_pickle_of_a_linear_model_is_served() -> None:
    numbers = linear_numbers(PLAIN, ESTIMATOR)

    predictor = load(
        manifest(runtime=LINEAR, linear=numbers), {MODEL_FILE: dump(ESTIMATOR)}, "pickle"
    )

    assert type(predictor) is type(ESTIMATOR)
