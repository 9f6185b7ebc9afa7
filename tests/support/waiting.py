"""Waiting for what happens beside a test."""

import time
from collections.abc import Callable

SECONDS = 20.0


def eventually(condition: Callable[[], object]) -> bool:
    """Whether a condition holds soon; what never does is waited for up to 20 seconds."""
    until = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True
