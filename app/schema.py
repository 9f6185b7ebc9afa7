"""What a model takes and gives: features, target, and how they are written in a manifest."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

Kind = Literal["number", "boolean", "category"]

KINDS: tuple[str, ...] = get_args(Kind)

MAX_MAGNITUDE = 1e100
"""Largest absolute value of a number that is taken as input.

No measurement comes near it, and sums of products below it cannot overflow float64, so that what
passes the check has a finite answer.
"""

_UNIT = re.compile(r".*\S\s*[\[(]([^\[\]()]{1,20})[\])]\s*", re.DOTALL)


def unit_in(name: str) -> str | None:
    """The unit that a column's name ends in: ``Torque [Nm]`` -> ``Nm``; None without one."""
    match = _UNIT.fullmatch(name)
    return match[1].strip() or None if match else None


@dataclass(frozen=True)
class Feature:
    """One input of a model.

    Attributes:
        name: as in the training table's header.
        kind: ``number`` (float64), ``boolean`` or ``category`` (one of `categories`).
        minimum, maximum: range seen in training, in the feature's own unit; None unless a number.
        categories: the values known from training, sorted; empty unless a category.
        missing: whether training saw missing values, so that null is accepted.
        unit: as found in the name, if any.
    """

    name: str
    kind: Kind
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] = ()
    missing: bool = False
    unit: str | None = None

    @cached_property
    def codes(self) -> Mapping[Any, float]:
        """JSON value -> its number in the model's matrix; a category's is its place in the list."""
        known: dict[Any, float] = {}
        if self.kind == "category":
            known = {value: float(code) for code, value in enumerate(self.categories)}
        elif self.kind == "boolean":
            known = {False: 0.0, True: 1.0}
        if self.missing:
            known[None] = math.nan
        return known

    def to_json(self) -> dict[str, Any]:
        """As it stands in a manifest; absent keys mean None, empty or false."""
        found: dict[str, Any] = {"name": self.name, "type": self.kind, "missing": self.missing}
        if self.kind == "number":
            found |= {"minimum": self.minimum, "maximum": self.maximum}
        if self.kind == "category":
            found["categories"] = list(self.categories)
        if self.unit is not None:
            found["unit"] = self.unit
        return found

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Feature":
        """The reverse of `to_json`. Raises KeyError, TypeError or ValueError on anything else."""
        if found["type"] not in KINDS:
            raise ValueError(f"unknown type of feature {found['type']!r}")
        return cls(
            name=_text(found["name"]),
            kind=found["type"],
            minimum=_number(found.get("minimum")),
            maximum=_number(found.get("maximum")),
            categories=tuple(_text(value) for value in found.get("categories", ())),
            missing=bool(found["missing"]),
            unit=_unit(found),
        )


@dataclass(frozen=True, slots=True)
class Target:
    """What a model answers: a number, with the range seen in training and its unit if known."""

    name: str
    minimum: float
    maximum: float
    unit: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As it stands in a manifest."""
        found: dict[str, Any] = {
            "name": self.name,
            "minimum": self.minimum,
            "maximum": self.maximum,
        }
        return found if self.unit is None else found | {"unit": self.unit}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Target":
        """The reverse of `to_json`. Raises KeyError, TypeError or ValueError on anything else."""
        minimum, maximum = float(found["minimum"]), float(found["maximum"])
        return cls(_text(found["name"]), minimum, maximum, _unit(found))


@dataclass(frozen=True)
class Schema:
    """The features in the order of the model's columns, and the target."""

    features: tuple[Feature, ...]
    target: Target

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def by_name(self) -> Mapping[str, Feature]:
        """The features, to look one up."""
        return {feature.name: feature for feature in self.features}

    @cached_property
    def plain(self) -> bool:
        """Whether every feature is a number that is never missing."""
        return all(f.kind == "number" and not f.missing for f in self.features)

    def to_json(self) -> dict[str, Any]:
        """As it stands in a manifest."""
        return {
            "features": [feature.to_json() for feature in self.features],
            "target": self.target.to_json(),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Schema":
        """The reverse of `to_json`. Raises KeyError, TypeError or ValueError on anything else."""
        features = tuple(Feature.from_json(feature) for feature in found["features"])
        if not features:
            raise ValueError("a schema needs a feature")
        return cls(features, Target.from_json(found["target"]))


def _unit(found: Mapping[str, Any]) -> str | None:
    return None if found.get("unit") is None else _text(found["unit"])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {type(value).__name__}")
    return value


def _number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number, got {type(value).__name__}")
    return float(value)
