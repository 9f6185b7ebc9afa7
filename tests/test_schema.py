"""Schemas: what a model takes and gives, and how it is written down."""

import math
from collections.abc import Mapping
from typing import Any

import pytest

from app.schema import Feature, Schema, Target, unit_in
from tests.support.models import HOSTILE, MIXED, PLAIN, SINGLE


@pytest.mark.parametrize("schema", [PLAIN, MIXED, SINGLE, HOSTILE])
def test_a_schema_is_read_as_it_was_written(schema: Schema) -> None:
    assert Schema.from_json(schema.to_json()) == schema


def test_a_schema_is_written_for_readers_with_only_what_applies() -> None:
    assert MIXED.to_json()["features"] == [
        {"name": "age", "type": "number", "missing": True, "minimum": 18.0, "maximum": 90.0},
        {
            "name": "housing",
            "type": "category",
            "missing": False,
            "categories": ["free", "own", "rent"],
        },
        {
            "name": "job",
            "type": "category",
            "missing": True,
            "categories": ["skilled: yes", "unskilled"],
        },
        {"name": "member", "type": "boolean", "missing": False},
    ]
    assert PLAIN.to_json()["target"] == {
        "name": "weight",
        "minimum": 0.0,
        "maximum": 100.0,
        "unit": "kg",
    }


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("Torque [Nm]", "Nm"),
        ("speed (km/h)", "km/h"),
        ("Air temperature [K] ", "K"),
        ("width[mm]", "mm"),
        ("age", None),
        ("[Nm]", None),
        ("a []", None),
        ("a [ ]", None),
        ("a [b] c", None),
        ("f(x) [m]", "m"),
        ("rate (this is much too long for a unit)", None),
        ("", None),
        ("a" * 100_000 + "[", None),
    ],
)
def test_a_unit_is_what_a_name_ends_in_between_brackets(name: str, unit: str | None) -> None:
    assert unit_in(name) == unit


@pytest.mark.parametrize(
    ("feature", "codes"),
    [
        (Feature("a", "number"), {}),
        (Feature("a", "boolean"), {False: 0.0, True: 1.0}),
        (Feature("a", "category", categories=("x", "y")), {"x": 0.0, "y": 1.0}),
    ],
    ids=lambda value: value.kind if isinstance(value, Feature) else "",
)
def test_each_value_has_its_number_in_the_matrix(
    feature: Feature, codes: Mapping[Any, float]
) -> None:
    assert feature.codes == codes


@pytest.mark.parametrize("kind", ["number", "boolean", "category"])
def test_a_missing_value_is_not_a_number_where_it_is_allowed(kind: Any) -> None:
    assert math.isnan(Feature("a", kind, missing=True).codes[None])
    assert None not in Feature("a", kind).codes


def test_a_schema_is_plain_when_all_are_numbers_and_none_is_ever_missing() -> None:
    numbers = (Feature("a", "number"), Feature("b", "number"))
    target = Target("y", 0.0, 1.0)

    assert Schema(numbers, target).plain
    assert not Schema((*numbers, Feature("c", "number", missing=True)), target).plain
    assert not Schema((*numbers, Feature("c", "boolean")), target).plain


def test_the_names_stand_in_the_order_of_the_columns() -> None:
    assert PLAIN.names == ("width", "height", "depth")
    assert list(PLAIN.by_name) == ["width", "height", "depth"]


TARGET = {"name": "y", "minimum": 0, "maximum": 1}
FEATURE = {"name": "a", "type": "number", "missing": False}


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"features": [], "target": TARGET},
        {"features": [FEATURE]},
        {"features": [FEATURE], "target": {"name": "y"}},
        {"features": [FEATURE], "target": TARGET | {"name": 1}},
        {"features": [FEATURE], "target": TARGET | {"minimum": None}},
        {"features": [FEATURE], "target": TARGET | {"minimum": "low"}},
        {"features": [FEATURE | {"name": None}], "target": TARGET},
        {"features": [FEATURE | {"type": "date"}], "target": TARGET},
        {"features": [FEATURE | {"minimum": True}], "target": TARGET},
        {"features": [FEATURE | {"categories": [1]}], "target": TARGET},
        {"features": [FEATURE | {"unit": {"a": 1}}], "target": TARGET},
        {"features": [FEATURE], "target": TARGET | {"unit": 5}},
        {"features": [{"name": "a", "type": "number"}], "target": TARGET},
        {"features": ["a"], "target": TARGET},
        {"features": 5, "target": TARGET},
    ],
    ids=repr,
)
def test_anything_else_is_refused(found: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Schema.from_json(found)
