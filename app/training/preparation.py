"""What is done to the columns before the regression, in words."""

from collections.abc import Iterator

from app.schema import Feature, Schema
from app.training.candidates import is_encoded, is_scaled, levels

_SHOWN = 6


def steps(schema: Schema) -> list[dict[str, str]]:
    """Column and step, for each column to which anything is done."""
    scaled = is_scaled(schema)
    return [
        {"column": feature.name, "step": step}
        for feature in schema.features
        if (step := _step(feature, scaled))
    ]


def sentences(schema: Schema) -> Iterator[str]:
    """The same, a line for each step."""
    by_step: dict[str, list[str]] = {}
    for entry in steps(schema):
        by_step.setdefault(entry["step"], []).append(entry["column"])
    for step, columns in by_step.items():
        listed = ", ".join(columns[:_SHOWN])
        more = f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
        yield f"{step}: {listed}{more}"


def _step(feature: Feature, scaled: bool) -> str:
    if is_encoded(feature):
        missing = ", missing is one of them" if feature.missing else ""
        return f"one column for each of {len(levels(feature))} values{missing}"
    if feature.kind == "boolean":
        return "false as 0, true as 1"
    words = ["missing values replaced by the mean"] if feature.missing else []
    if scaled:
        words.append("brought to unit standard deviation")
    return ", ".join(words)
