"""The native API as a client sees it, without a server between."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.schema import Schema
from tests.support.clients import client_of
from tests.support.models import MIXED, PLAIN, SINGLE, fitted, publish

ROW = [1.0, 2.0, 0.5]
NAMED = {"depth": 0.5, "width": 1, "height": 2}
SCHEMAS = {"tiny": PLAIN, "mixed": MIXED, "single": SINGLE}


def asked(client: FlaskClient, x: Any, target: str = "/predict") -> Any:
    """The prediction for x, which must be one."""
    answer = client.post(target, json={"x": x})
    assert answer.status_code == 200, answer.text
    content = answer.get_json()
    assert set(content) == {"y"}
    return content["y"]


def test_one_row_is_answered_by_one_number(client: FlaskClient) -> None:
    expected = fitted(PLAIN, seed=2).predict([ROW])[0]

    answer = client.post("/predict", json={"x": ROW})

    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.json == {"y": expected}
    assert answer.headers["X-Model"] == "tiny/2"


def test_rows_are_answered_by_a_list_in_their_order(client: FlaskClient) -> None:
    rows = [[float(n), 2.0, 0.5] for n in range(100)]

    y = asked(client, rows)

    np.testing.assert_allclose(y, fitted(PLAIN, seed=2).predict(rows), rtol=1e-14)


def test_list_of_one_row_is_answered_by_a_list(client: FlaskClient) -> None:
    assert asked(client, [ROW]) == [asked(client, ROW)]


def test_row_by_name_is_answered_like_the_row_by_place(client: FlaskClient) -> None:
    assert asked(client, NAMED) == asked(client, ROW)
    assert asked(client, [NAMED, ROW]) == asked(client, [ROW, NAMED])


def test_one_feature_is_given_as_a_bare_value_or_many(client: FlaskClient) -> None:
    one, two = asked(client, [[100], [0]], "/models/single/predict")

    assert asked(client, 100, "/models/single/predict") == one
    assert asked(client, [100], "/models/single/predict") == one
    assert asked(client, {"speed": 100}, "/models/single/predict") == one
    assert asked(client, [100, 0], "/models/single/predict") == [one, two]
    assert asked(client, [100, [0], {"speed": 100}], "/models/single/predict") == [one, two, one]


def test_categories_booleans_and_gaps_are_taken(client: FlaskClient) -> None:
    row = {"age": None, "housing": "rent", "job": None, "member": False}

    assert asked(client, row, "/models/mixed/predict") == asked(
        client, [None, "rent", None, False], "/models/mixed/predict"
    )


def test_each_version_answers_for_itself(client: FlaskClient) -> None:
    first = client.post("/models/tiny/versions/1/predict", json={"x": ROW})
    second = client.post("/models/tiny/versions/2/predict", json={"x": ROW})

    assert (first.headers["X-Model"], second.headers["X-Model"]) == ("tiny/1", "tiny/2")
    assert first.get_json()["y"] == fitted(PLAIN, seed=1).predict([ROW])[0]
    assert second.get_json()["y"] == asked(client, ROW)


def test_refusal_names_row_feature_problem_and_value(client: FlaskClient) -> None:
    answer = client.post("/predict", json={"x": [ROW, [1, "2", 3]]})

    assert answer.status_code == 400
    assert answer.json == {
        "error": "row 1, 'height': must be a number, without quotes",
        "details": [
            {
                "row": 1,
                "feature": "height",
                "problem": "must be a number, without quotes",
                "got": "2",
            }
        ],
    }
    assert "X-Model" not in answer.headers


def test_compressed_request_is_answered_like_the_plain_one(client: FlaskClient) -> None:
    answer = client.post(
        "/predict",
        data=gzip.compress(json.dumps({"x": ROW}).encode()),
        content_type="application/json",
        headers={"Content-Encoding": "gzip"},
    )

    assert answer.json == {"y": asked(client, ROW)}


def test_no_finite_answer_is_an_error_and_never_nan(tmp_path: Path) -> None:
    slope = 1e300
    numbers = {
        "intercept": 0.0,
        "coefficients": {"speed": slope},
        "categories": {},
        "missing": {},
    }
    estimator = fitted(SINGLE)
    estimator.coef_, estimator.intercept_ = np.array([slope]), 0.0
    publish(tmp_path, "steep", SINGLE, linear=numbers, estimator=estimator)

    for runtime in ("auto", "pickle"):
        answer = client_of(tmp_path, ORDINATE_RUNTIME=runtime).post(
            "/predict", json={"x": [1, 1e99]}
        )

        assert answer.status_code == 400
        assert (
            answer.get_json()["error"] == "row 1: the model has no finite answer for these values"
        )


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("count", [2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 64, 100, 1000])
def test_row_of_a_linear_model_has_the_same_bits_alone_and_in_any_batch(
    name: str, count: int, linear: FlaskClient
) -> None:
    schema = SCHEMAS[name]
    rows = random_rows(schema, count)
    target = f"/models/{name}/predict"

    together = linear.post(target, json={"x": rows}).data
    named = linear.post(target, json={"x": [as_object(schema, row) for row in rows]}).data
    mixed = [row if n % 2 else as_object(schema, row) for n, row in enumerate(rows)]
    alone = [linear.post(target, json={"x": row}) for row in rows[:20]]

    assert together == named == linear.post(target, json={"x": mixed}).data
    assert together.startswith(b'{"y":[' + b",".join(map(number_in, alone)))


def test_row_of_a_pickled_model_has_nearly_the_same_answer_alone_and_in_a_batch(
    client: FlaskClient,
) -> None:
    # Not the same bits: BLAS adds the products in an order that depends on the number of rows.
    rows = random_rows(PLAIN, 300)

    alone = [asked(client, row) for row in rows]

    np.testing.assert_allclose(asked(client, rows), alone, rtol=1e-12, atol=1e-12)


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """Models that are served by the numbers in their manifests."""
    root = tmp_path_factory.mktemp("linear")
    for name, schema in SCHEMAS.items():
        publish(root, name, schema, linear=True)
    return client_of(root)


def random_rows(schema: Schema, count: int) -> list[list[Any]]:
    """Rows in schema order, of all that the features take."""
    draw = np.random.default_rng(count)
    columns = []
    for feature in schema.features:
        known = feature.categories or (True, False)
        column = draw.normal(size=count).tolist()
        if feature.kind != "number":
            column = [known[place] for place in draw.integers(len(known), size=count)]
        if feature.missing:
            column = [
                None if gap else v for v, gap in zip(column, draw.random(count) < 0.2, strict=True)
            ]
        columns.append(column)
    return [list(row) for row in zip(*columns, strict=True)]


def as_object(schema: Schema, row: list[Any]) -> dict[str, Any]:
    """A row by name, the last name first."""
    return dict(reversed(list(zip(schema.names, row, strict=True))))


def number_in(answer: TestResponse) -> bytes:
    """The text of the only number in an answer."""
    return bytes(answer.data).removeprefix(b'{"y":').removesuffix(b"}")
