"""What the settings count on and the models folder does not have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.registry.state import State
from app.store import CANARY


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is not there.

    Attributes:
        why: one sentence.
        is_folder: whether it is the folder itself, which cannot be looked into.
    """

    why: str
    is_folder: bool = False


def gaps(
    unreadable: str | None,
    unanswered: str | None,
    shares: Mapping[str, float],
    states: Mapping[str, State],
) -> Iterator[Gap]:
    """Tell what is missing.

    Args:
        unreadable: why the folder cannot be looked into, if it cannot.
        unanswered: why nothing answers where a request names no model, if nothing does.
        shares: of the requests, from 0 to 1, that go to the canary, by name.
        states: what is known of each name.
    """
    if unreadable:
        yield Gap(unreadable, is_folder=True)
        return  # what else is missing, nobody can tell
    if unanswered:
        yield Gap(f"nothing answers at /predict: {unanswered}")
    for name, share in shares.items():
        if share and (name not in states or CANARY not in states[name].labels):
            what = "model of that name" if name not in states else "version with that label"
            yield Gap(f"ORDINATE_CANARY is for the canary of {name!r}, and there is no {what}")
