"""Plain numbers replace a pipeline only where both answer alike, on rows that it never saw, too."""

import copy

import numpy as np
import pytest

from app.schema import Feature, Schema, Target
from app.training.candidates import linear_regression
from app.training.linear import agree, drawn, parameters

SCHEMA = Schema(
    (
        Feature("size", "number", -5.0, 5.0, missing=True),
        Feature("kind", "category", categories=("a", "b", "c"), missing=True),
        Feature("new", "boolean"),
    ),
    Target("price", 0.0, 100.0),
)


def test_drawn_rows_cover_ranges_categories_and_missing_values() -> None:
    x = drawn(SCHEMA, 1000, seed=0)

    sizes, kinds, news = x.T
    assert np.nanmin(sizes) >= -5.0
    assert np.nanmax(sizes) <= 5.0
    assert np.ptp(sizes[~np.isnan(sizes)]) > 9.0
    assert set(kinds[~np.isnan(kinds)]) == {0.0, 1.0, 2.0}
    assert set(news) == {0.0, 1.0}
    assert np.isnan(sizes).any()
    assert np.isnan(kinds).any()


def test_the_same_seed_draws_the_same_rows() -> None:
    assert drawn(SCHEMA, 50, seed=3).tobytes() == drawn(SCHEMA, 50, seed=3).tobytes()


@pytest.mark.parametrize(
    ("group", "name"), [("coefficients", "size"), ("coefficients", "new"), ("missing", "kind")]
)
def test_numbers_that_are_off_by_a_little_do_not_agree(group: str, name: str) -> None:
    x = drawn(SCHEMA, 1000, seed=0)
    y = np.nan_to_num(x) @ [1.0, 10.0, 30.0] + 2.0
    pipeline = linear_regression(SCHEMA).fit(x, y)
    numbers = parameters(pipeline, SCHEMA)
    wrong = copy.deepcopy(numbers)
    wrong[group][name] += 1e-4

    assert agree(numbers, SCHEMA, x, pipeline.predict(x))
    assert not agree(wrong, SCHEMA, x, pipeline.predict(x))
