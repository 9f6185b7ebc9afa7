"""How freed memory goes back to the system, where the C library is glibc."""

import ctypes
import sys

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
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library
        return False
    values = {
        _ARENA_MAX: _ARENAS,
        _MMAP_THRESHOLD: _OWN_MAPPING,
        _TRIM_THRESHOLD: _KEPT_FREE,
    }
    return all(mallopt(parameter, value) for parameter, value in values.items())
