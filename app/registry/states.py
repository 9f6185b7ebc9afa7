"""What is known of a model that is served, and what is told of its versions."""

from dataclasses import dataclass

from app.model import Model


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one name: the model that answers, and why it is not the current version.

    Attributes:
        name: of the model.
        model: what answers; None when nothing can.
        problem: one sentence when the current version is not what answers.
    """

    name: str
    model: Model | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class LoadEvent:
    """A version was looked at: ``loaded``, ``refused`` (with the reason) or ``gone``."""

    name: str
    version: int | None
    outcome: str
    reason: str | None = None
