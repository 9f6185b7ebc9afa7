"""What is different between two looks at a model, for the log and the counters."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.registry.state import State


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """What answers has changed since the last look.

    Attributes:
        name: of the model.
        change: ``swapped``, ``rolled back``, ``labelled`` or ``unlabelled``.
        version: that answers now; None when the label is gone or cannot be used.
        before: that answered, if any did.
        label: None where it is about the current version.
    """

    name: str
    change: str
    version: int | None
    before: int | None
    label: str | None = None


def changes(before: State, after: State) -> Iterator[ChangeEvent]:
    """Tell what is different in what is known of a model."""
    old, new = before.version, after.version
    if new is not None and old != new:
        # Going back takes the end of the history away; all else adds to it.
        back = len(after.led_to) > 0 and after.led_to == before.led_to[: len(after.led_to)]
        yield ChangeEvent(after.name, "rolled back" if back else "swapped", new, old)
    for label in sorted(before.labels.keys() | after.labels.keys()):
        was = before.labels[label].version if label in before.labels else None
        if label not in after.labels:
            yield ChangeEvent(after.name, "unlabelled", None, was, label)
        elif label not in before.labels or was != after.labels[label].version:
            yield ChangeEvent(after.name, "labelled", after.labels[label].version, was, label)
