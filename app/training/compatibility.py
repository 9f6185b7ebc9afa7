"""What of a champion's clients a challenger would break."""

from collections.abc import Iterator

from app.diagnosis import enumerated
from app.schema import Feature, Schema, Target

_KINDS = {"number": "a number", "boolean": "true or false", "category": "a category"}


def breaks(champion: Schema, challenger: Schema) -> tuple[str, ...]:
    """A sentence for each thing that requests may do now and may not do then; none if none.

    What a challenger takes beyond that, a new category or null, breaks nothing.
    """
    return tuple(_breaks(champion, challenger))


def _breaks(champion: Schema, challenger: Schema) -> Iterator[str]:
    yield from _of_target(champion.target, challenger.target)
    before = {feature.name: feature for feature in champion.features}
    after = {feature.name: feature for feature in challenger.features}
    for name in before:
        if name not in after:
            yield f"feature {name!r} is dropped: requests that have it will be refused"
    for name, feature in after.items():
        if name not in before:
            yield f"feature {name!r} is added: requests without it will be refused"
        else:
            yield from _of_feature(before[name], feature)
    common = [name for name in champion.names if name in after]
    if common != [name for name in challenger.names if name in before]:
        yield "the features have another order: rows sent as lists will be misread"


def _of_target(before: Target, after: Target) -> Iterator[str]:
    if before.name != after.name:
        yield (
            f"the target is {after.name!r} and was {before.name!r}: "
            "answers will mean something else"
        )
    elif before.unit != after.unit:
        yield f"the target is {_in_unit(after.unit)} and was {_in_unit(before.unit)}"


def _of_feature(before: Feature, after: Feature) -> Iterator[str]:
    name = f"feature {after.name!r}"
    if before.kind != after.kind:
        yield (
            f"{name} is retyped, {_KINDS[after.kind]} and was {_KINDS[before.kind]}: "
            "requests with its old values will be refused"
        )
        return
    if before.unit != after.unit:
        yield f"{name} is {_in_unit(after.unit)} and was {_in_unit(before.unit)}"
    if gone := [value for value in before.categories if value not in after.categories]:
        yield f"{name} no longer knows {enumerated(gone)}: requests with it will be refused"
    if before.missing and not after.missing:
        yield f"{name} is never missing any more: requests with null for it will be refused"


def _in_unit(unit: str | None) -> str:
    return f"in {unit}" if unit else "without a unit"
