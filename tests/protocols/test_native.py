"""The native dialect: what a body means, and what answers it."""

import json
from typing import Any

import numpy as np
import pytest

from app.errors import InvalidInput, NotReady, Problem, TooLarge
from app.protocols.native import Call, decode, encode, encode_error
from tests.support.models import MIXED, PLAIN, SINGLE

MAX_ROWS = 1000


@pytest.mark.parametrize(
    ("x", "rows", "single"),
    [
        ([1, 2, 3], [[1, 2, 3]], True),
        ([[1, 2, 3]], [[1, 2, 3]], False),
        ([[1, 2, 3], [4, 5, 6]], [[1, 2, 3], [4, 5, 6]], False),
        ({"width": 1}, [{"width": 1}], True),
        ([{"width": 1}], [{"width": 1}], False),
        ([{"width": 1}, [4, 5, 6]], [{"width": 1}, [4, 5, 6]], False),
        ([1, [2], 3], [[1, [2], 3]], True),
        ([[1], 2, 3], [[1], 2, 3], False),
        (5, [5], True),
        (None, [None], True),
        ("5", ["5"], True),
    ],
)
def test_x_is_a_row_or_a_list_of_rows(x: Any, rows: list[Any], single: bool) -> None:
    assert decode(body(x=x), PLAIN, MAX_ROWS) == Call(rows, single)


@pytest.mark.parametrize(
    ("x", "rows", "single"),
    [
        (5, [5], True),
        ([5], [[5]], True),
        ([5, 6], [5, 6], False),
        ([[5]], [[5]], False),
        ([[5], 6], [[5], 6], False),
        ([5, [6]], [5, [6]], False),
        ({"speed": 5}, [{"speed": 5}], True),
        ([{"speed": 5}, 6, [7]], [{"speed": 5}, 6, [7]], False),
        (None, [None], True),
    ],
)
def test_a_model_with_one_feature_takes_bare_values(x: Any, rows: list[Any], single: bool) -> None:
    assert decode(body(x=x), SINGLE, MAX_ROWS) == Call(rows, single)


@pytest.mark.parametrize("content", [[], 1, "x", None, True, [{"x": [1, 2, 3]}]])
def test_body_must_be_an_object(content: Any) -> None:
    with pytest.raises(InvalidInput, match="must be an object"):
        decode(json.dumps(content).encode(), PLAIN, MAX_ROWS)


def test_every_unknown_key_is_told() -> None:
    with pytest.raises(InvalidInput) as caught:
        decode(body(x=[1, 2, 3], X=1, instances=[[1]]), PLAIN, MAX_ROWS)

    assert caught.value.message.startswith("'X' is not a key of a prediction request")
    assert caught.value.details == (
        Problem(None, None, "unknown key 'X'", 1),
        Problem(None, None, "unknown key 'instances'", "a list of 1"),
    )


def test_of_many_unknown_keys_20_are_told_and_the_others_counted() -> None:
    with pytest.raises(InvalidInput) as caught:
        decode(body(**{f"k{n}": n for n in range(5000)}), PLAIN, MAX_ROWS)

    assert "nor are 4999 others" in caught.value.message
    assert (len(caught.value.details), caught.value.total) == (20, 5000)


def test_row_limit_is_exact_and_says_how_many_there_were() -> None:
    rows = [[1, 2, 3]] * MAX_ROWS

    assert len(decode(body(x=rows), PLAIN, MAX_ROWS).rows) == MAX_ROWS
    with pytest.raises(TooLarge, match="the request has 1001 rows, the limit is 1000"):
        decode(body(x=[*rows, [1, 2, 3]]), PLAIN, MAX_ROWS)


def test_row_limit_holds_for_bare_values_and_objects() -> None:
    for x in ([1] * 1001, [{"speed": 1}] * 1001):
        with pytest.raises(TooLarge, match="1001 rows"):
            decode(body(x=x), SINGLE, MAX_ROWS)


def test_largest_allowed_batch_of_the_widest_form_is_read() -> None:
    row = {"age": 1.5, "housing": "own", "job": "skilled: yes", "member": True}

    assert len(decode(body(x=[row] * 30_000), MIXED, 30_000).rows) == 30_000


@pytest.mark.parametrize(
    ("single", "y", "answer"),
    [
        (True, [1.5], b'{"y":1.5}'),
        (False, [1.5], b'{"y":[1.5]}'),
        (False, [1.0, -0.0, 5e-324], b'{"y":[1.0,-0.0,5e-324]}'),
        (True, [1e22], b'{"y":1e+22}'),
    ],
)
def test_answer_has_the_form_of_the_question(single: bool, y: list[float], answer: bytes) -> None:
    assert encode(single, np.array(y)) == answer


def test_numbers_are_written_alike_alone_and_in_a_list_and_read_back_exactly() -> None:
    y = np.random.default_rng(0).normal(size=2000) * 10.0 ** np.arange(-100, 100).repeat(10)

    together = encode(False, y)

    assert json.loads(together)["y"] == y.tolist()
    alone = [encode(True, y[n : n + 1])[5:-1] for n in range(len(y))]
    assert together == b'{"y":[' + b",".join(alone) + b"]}"


def test_column_of_a_larger_array_is_written_too() -> None:
    matrix = np.arange(6.0).reshape(3, 2)

    assert encode(False, matrix[:, 0]) == b'{"y":[0.0,2.0,4.0]}'


def test_error_lists_its_problems() -> None:
    error = InvalidInput("two problems", [Problem(0, "age", "must be a number", "x")], 2)

    assert json.loads(encode_error(error)) == {
        "error": "two problems",
        "details": [{"row": 0, "feature": "age", "problem": "must be a number", "got": "x"}],
    }


def test_error_without_problems_has_the_same_form() -> None:
    assert json.loads(encode_error(NotReady("no model"))) == {"error": "no model", "details": []}


def body(**content: Any) -> bytes:
    return json.dumps(content).encode()
