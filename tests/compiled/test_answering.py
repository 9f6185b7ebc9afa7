"""A linear model answers with the same bits by compiled code and by Python."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.linear import Linear
from app.schema import Schema
from tests.support.compiled import plan
from tests.support.models import MIXED, PLAIN, ROWS, fitted, linear_numbers

KEY = b'"x"'


def linear(schema: Schema) -> Linear:
    return Linear(linear_numbers(schema, fitted(schema)), schema)


@given(st.lists(st.lists(st.floats(-1e99, 1e99), min_size=3, max_size=3), min_size=1, max_size=5))
def test_numbers(rows: list[list[float]]) -> None:
    model = linear(PLAIN)
    reader = plan(PLAIN, model)
    read = reader.read(json.dumps({"x": rows}).encode(), KEY, 10)
    answered = reader.answer(json.dumps({"x": rows}).encode(), KEY, 10)

    if read is not None:
        assert isinstance(answered, np.ndarray)
        assert answered.tobytes() == model.predict(np.array(read)).tobytes()
        alone = reader.answer(json.dumps({"x": rows[0]}).encode(), KEY, 10)
        assert alone == answered[0]


@pytest.mark.parametrize("count", [1, 2, 500, 5000])
def test_every_kind_of_value_few_and_many(count: int) -> None:
    model = linear(MIXED)
    reader = plan(MIXED, model)
    rows = [list(row) for row in ROWS[id(MIXED)]] * count
    body = json.dumps({"x": rows}).encode()

    read, answered = reader.read(body, KEY, 20_000), reader.answer(body, KEY, 20_000)

    assert isinstance(read, np.ndarray)
    assert isinstance(answered, np.ndarray)
    assert answered.tobytes() == model.predict(read).tobytes()


def test_a_row_that_stands_alone_has_one_answer() -> None:
    model = linear(MIXED)

    answered = plan(MIXED, model).answer(b'{"x":[null,"rent",null,false]}', KEY, 10)

    assert answered == model.predict_row([np.nan, 2.0, np.nan, 0.0])
    assert np.isfinite(answered)


def test_answers_stay_what_they_were_when_others_are_asked() -> None:
    model = linear(PLAIN)
    reader = plan(PLAIN, model)
    first = reader.answer(b'{"x":[[1,2,3],[4,5,6]]}', KEY, 10)
    assert isinstance(first, np.ndarray)
    kept = first.tolist()

    reader.answer(b'{"x":[[7,8,9],[1,1,1]]}', KEY, 10)

    assert first.tolist() == kept
