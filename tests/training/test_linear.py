"""Plain numbers replace a pipeline only where both answer alike, on rows that it never saw, too."""

import copy
from pathlib import Path

import numpy as np
import pytest

import train
from app.manifest import Golden
from app.model import load_model
from app.runtimes import JOBLIB
from app.schema import Feature, Schema, Target
from app.store import Store
from app.training.candidates import linear_regression
from app.training.linear import agree, drawn, parameters, prove

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


@pytest.mark.parametrize(("off", "is_proof"), [(0.0, True), (5e-11, True), (5e-10, False)])
def test_numbers_leave_room_for_the_rounding_of_other_machines(off: float, is_proof: bool) -> None:
    numbers = {
        "intercept": 2.0,
        "coefficients": {"size": 3.0, "new": 1.0},
        "categories": {"kind": [0.0, 4.0, 5.0]},
        "missing": {"size": 0.0, "kind": 0.0},
    }
    rows = ((1.0, "a", True), (2.0, "b", False))
    golden = Golden(rows, (6.0, 12.0 * (1 + off)))

    assert prove(numbers, SCHEMA, golden) is is_proof


def test_a_model_whose_answers_are_small_beside_its_target_is_published_so_that_it_is_served(
    tmp_path: Path,
) -> None:
    """Days since 4713 BC over one night, which explain nothing: sums of products lose digits."""
    draw = np.random.default_rng(24)
    days = 2460123.6 + np.sort(draw.uniform(0, 0.25, 200))
    lines = [f"{day:.6f},{1 + draw.random():.3f},{draw.normal() * 0.01:.5f}" for day in days]
    table = tmp_path / "night.csv"
    table.write_text("\n".join(["day,mass,change", *lines, ""]))
    models = tmp_path / "models"

    code = train.main(["--models", str(models), "--data", str(table), "--target", "change"])

    assert code == 0
    model = load_model(Store(models), "night", 1)
    assert model.manifest.description.runtime == JOBLIB
