"""What is known of one model: what answers for its name, for its labels, and why not others."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.model import Model
from app.registry.lineup import Lineup
from app.store import History


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a label stands for.

    Attributes:
        version: that it names; None when its file cannot be read.
        model: that version; None when it cannot be used.
        problem: one sentence when the version that it names is not what answers.
    """

    version: int | None
    model: Model | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one name: the models that answer, and why it is not others.

    Attributes:
        name: of the model.
        model: what answers; None when nothing can.
        problem: one sentence when the current version is not what answers.
        labels: what each label stands for.
        lineup: what answers requests that name no version; None when nothing can.
        led_to: the versions that were current one after the other, up to the one that answers.
    """

    name: str
    model: Model | None
    problem: str | None
    labels: Mapping[str, Labelled] = field(default_factory=dict)
    lineup: Lineup | None = None
    led_to: History = ()

    @property
    def version(self) -> int | None:
        """Number of the version that answers."""
        return self.model.manifest.version if self.model else None

    def find(self, version: int) -> Model | None:
        """This version, if it is one of those that are held."""
        held = [self.model, *(labelled.model for labelled in self.labels.values())]
        return next((m for m in held if m is not None and m.manifest.version == version), None)
