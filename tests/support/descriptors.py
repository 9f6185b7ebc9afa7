"""How many files this process holds open, apart from what its threads open for a moment."""

import os
import time

SECONDS = 10.0


def opened() -> int:
    """The number of open descriptors."""
    return len(os.listdir("/dev/fd"))


def settles_at(most: int) -> bool:
    """Whether no more than so many are open soon; what leaked stays open for ever."""
    until = time.monotonic() + SECONDS
    while opened() > most:
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True
