"""Threads that do something beside the requests, and need not end before their process does."""

import threading
from collections.abc import Callable
from typing import Any


def started(target: Callable[..., Any], name: str, *arguments: Any) -> threading.Thread | None:
    """A thread that does this from now on; None where the system has none to spare.

    That may be so for a moment, at a limit on processes for example: whoever needs a thread goes on
    without it, and asks again later.
    """
    thread = threading.Thread(target=target, name=name, args=arguments, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError):  # the former is what Python makes of any other reason
        return None
    return thread
