"""How many files this process holds open, apart from what its threads open for a moment."""

import os

from tests.support.waiting import eventually


def opened() -> int:
    """The number of open descriptors."""
    return len(os.listdir("/dev/fd"))


def settles_at(most: int) -> bool:
    """Whether no more than so many are open soon; what leaked stays open for ever."""
    return eventually(lambda: opened() <= most)
