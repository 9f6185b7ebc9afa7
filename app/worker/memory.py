"""How freed memory goes back to the system, where the C library is glibc."""

import ctypes
import sys
from typing import Any

from app.threads import started

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of glibc's malloc.h

_ARENAS = 2
_OWN_MAPPING = 1 << 20
_KEPT_FREE = 4 << 20


def give_back() -> bool:
    """Have large blocks returned as soon as they are freed; whether that can be arranged here.

    By default each thread gets a heap of its own, which keeps what its largest request took, and a
    block as large as one freed before no longer gets a mapping of its own: after some bodies of
    megabytes a worker would hold on to several times what it ever used at once.
    """
    mallopt = _function("mallopt")
    if mallopt is None:
        return False
    values = {
        _ARENA_MAX: _ARENAS,
        _MMAP_THRESHOLD: _OWN_MAPPING,
        _TRIM_THRESHOLD: _KEPT_FREE,
    }
    return all(mallopt(parameter, value) for parameter, value in values.items())


class Idleness:
    """Has all freed memory returned when nothing was done for a moment.

    Small blocks stay in the heap between others that are in use, whole pages of them free.
    """

    def __init__(self) -> None:
        self._trim = _function("malloc_trim")
        self._is_due = False

    def check(self, was_busy: bool) -> None:
        """Be told every now and then whether anything was done since."""
        if was_busy:
            self._is_due = True
        elif self._is_due and self._trim is not None:
            # It takes some milliseconds, in which a request may come.
            self._is_due = started(self._trim, "trim", 0) is None


def _function(name: str) -> Any:
    """A function of glibc; None where there is none."""
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), name, None)  # another C library may lack it
