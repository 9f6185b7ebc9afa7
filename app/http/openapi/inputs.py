"""What one model takes and answers, as JSON Schemas and examples.

These say the same as `app.protocols.native` and `app.checking`: what fits the schema is accepted,
what does not is refused. Only what JSON Schema cannot say is left to the words of a description.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.model import Model
from app.schema import MAX_MAGNITUDE, Feature, Schema, Target

Json = dict[str, Any]

ANY_REQUEST: Json = {
    "type": "object",
    "description": "A row or rows; what is in them is known once there is a model.",
    "properties": {"x": {"description": "A row, or a list of rows."}},
    "required": ["x"],
    "additionalProperties": False,
}
"""Stands in for the request of a model that cannot be used, whose features are not known."""

ANY_ANSWER: Json = {
    "type": "object",
    "description": "A value for one row, a list of values for a list of rows.",
    "properties": {
        "y": {
            "oneOf": [
                {"type": "number"},
                {"type": "array", "items": {"type": "number"}, "minItems": 1},
            ]
        }
    },
    "required": ["y"],
    "additionalProperties": False,
}
"""The same for its answer."""

_KINDS = {"number": "number", "boolean": "boolean", "category": "string"}


def ref(component: str, kind: str = "schemas") -> Json:
    """A reference to a component of the document."""
    return {"$ref": f"#/components/{kind}/{component}"}


def code(text: str) -> str:
    """Text from a table as a code span, so that no markup in it has a meaning."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{fence}{space}{' '.join(text.split()) or ' '}{space}{fence}"


def codes(texts: Sequence[str]) -> str:
    """Several of them for a sentence."""
    return ", ".join(map(code, texts))


def model_components(name: str, model: Model, max_rows: int) -> Mapping[str, Json]:
    """The schemas of one model by the name of their component."""
    schema = model.schema
    found = {
        f"{name}_ObjectRow": _object_row(schema),
        f"{name}_Request": _request(name, schema, max_rows),
        f"{name}_Answer": _answer(schema.target, max_rows),
    }
    if len(schema.features) == 1:
        return found | {f"{name}_Value": _value(schema.features[0])}
    return found | {f"{name}_ListRow": _list_row(schema)}


def examples(model: Model) -> tuple[Json, Json]:
    """Requests this model answers and the answers, under the same names in both."""
    rows = [list(row) for row in model.manifest.description.golden.x[:2]]
    alone, together = model.examples
    by_name = dict(zip(model.schema.names, rows[0], strict=True))
    one = {"y": alone}
    cases = (
        ("list", "One row in the order of the features", rows[0], one),
        ("object", "One row by name", by_name, one),
        ("rows", "Several rows", rows, {"y": together}),
    )
    requests = {key: {"summary": text, "value": {"x": x}} for key, text, x, _ in cases}
    return requests, {key: {"summary": text, "value": y} for key, text, _, y in cases}


def _request(name: str, schema: Schema, max_rows: int) -> Json:
    listed, by_name = ref(f"{name}_ListRow"), ref(f"{name}_ObjectRow")
    if len(schema.features) == 1:
        # A list is a row or rows alike here: it holds values, lists of one value, or objects.
        value = ref(f"{name}_Value")
        alone = {"type": "array", "items": value, "minItems": 1, "maxItems": 1}
        one, several = [value, by_name], [value, alone, by_name]
    else:
        one, several = [listed, by_name], [listed, by_name]
    rows = {
        "type": "array",
        "description": f"Rows, at most {max_rows}.",
        "items": {"oneOf": several},
        "minItems": 1,
        "maxItems": max_rows,
    }
    x = {"description": "One row, or a list of rows.", "oneOf": [*one, rows]}
    return {
        "type": "object",
        "properties": {"x": x},
        "required": ["x"],
        "additionalProperties": False,
    }


def _answer(target: Target, max_rows: int) -> Json:
    value = {
        "type": "number",
        "description": f"Predicted {code(target.name)}; {_range(target)}.",
        "x-training-range": [target.minimum, target.maximum],
    }
    if target.unit:
        value["x-unit"] = target.unit
    values = {"type": "array", "items": value, "minItems": 1, "maxItems": max_rows}
    return {
        "type": "object",
        "description": ANY_ANSWER["description"],
        "properties": {"y": {"oneOf": [value, values]}},
        "required": ["y"],
        "additionalProperties": False,
    }


def _list_row(schema: Schema) -> Json:
    width = len(schema.features)
    return {
        "type": "array",
        "description": f"The values of one row: {codes(schema.names)}, in this order.",
        "prefixItems": [_value(feature) for feature in schema.features],
        # This excludes more values as well as `items: false`, which some generators cannot read.
        "minItems": width,
        "maxItems": width,
    }


def _object_row(schema: Schema) -> Json:
    return {
        "type": "object",
        "description": "One row, its values by the name of their feature.",
        "properties": {feature.name: _value(feature) for feature in schema.features},
        "required": list(schema.names),
        "additionalProperties": False,
    }


def _value(feature: Feature) -> Json:
    kind = _KINDS[feature.kind]
    found: Json = {
        "type": [kind, "null"] if feature.missing else kind,
        "description": _described(feature),
    }
    if feature.kind == "number":
        found |= {"minimum": -MAX_MAGNITUDE, "maximum": MAX_MAGNITUDE}
        if _has_range(feature):
            found["x-training-range"] = [feature.minimum, feature.maximum]
    if feature.kind == "category":
        found["enum"] = [*feature.categories, *([None] if feature.missing else [])]
    if feature.unit:
        found["x-unit"] = feature.unit
    return found


def _described(feature: Feature) -> str:
    words = f"{code(feature.name)}: a {feature.kind}"
    if _has_range(feature):
        words += f"; {_range(feature)}"
    return f"{words}; null where it is not known." if feature.missing else f"{words}."


def _has_range(feature: Feature) -> bool:
    """Whether both ends are known: whoever publishes a model of their own may leave them out."""
    return feature.kind == "number" and None not in (feature.minimum, feature.maximum)


def _range(what: Feature | Target) -> str:
    unit = f" {code(what.unit)}" if what.unit else ""
    return f"training saw {what.minimum:g} to {what.maximum:g}{unit}"
