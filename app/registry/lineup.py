"""Which versions of a model answer requests that name none: the current one and its company."""

import hashlib
from dataclasses import dataclass, field

from app.model import Model

_BITS = 53
"""As many as a float64 holds exactly."""


@dataclass(frozen=True, slots=True, eq=False)
class Lineup:
    """The versions of one model that answer requests which name no version.

    Attributes:
        model: the current version, as far as it can be trusted.
        canary: a version that answers a share of the requests in its place.
        share: of the requests, from 0 to 1, that go to the canary.
        shadow: a version that predicts beside the answer and is never heard.
        is_alone: whether the current version answers everything, and nothing else is asked.
        is_quick: whether a row takes microseconds, whichever of them answers.
    """

    model: Model
    canary: Model | None = None
    share: float = 0.0
    shadow: Model | None = None
    is_alone: bool = field(init=False)
    is_quick: bool = field(init=False)

    def __post_init__(self) -> None:
        # Every request looks at these two, so they are fields rather than properties.
        quick = self.model.is_quick and (self.canary is None or self.canary.is_quick)
        object.__setattr__(self, "is_alone", self.canary is None and self.shadow is None)
        object.__setattr__(self, "is_quick", quick)

    def for_request(self, request_id: str) -> Model:
        """What answers a request: the same for the same id, in every worker and at every try."""
        if self.canary is not None and position(request_id) < self.share:
            return self.canary
        return self.model


def position(request_id: str) -> float:
    """Where an id lies from 0 up to 1, evenly spread also for ids that are counted up."""
    digest = hashlib.blake2b(request_id.encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> (64 - _BITS)) / (1 << _BITS)
