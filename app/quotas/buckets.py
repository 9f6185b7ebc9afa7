"""Token buckets that all workers of this machine draw from.

The memory is mapped before the workers fork. Where compiled code was built, every change is one
compare-and-swap, which `app/compiled/buckets.c` explains; elsewhere `app.quotas.locked` does the
same with locks, in the same words.
"""

import ctypes
import mmap
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from app.compiled.library import Library, TokenBuckets
from app.quotas.locked import PLACES, LockedTable
from app.rates import Rate

GROUPS = 1 << 13
"""Groups of a table for any number of owners: 65,536 buckets in 512 KiB."""

Clock = Callable[[], int]

_WORD = 8
_NANOSECONDS = 1_000_000_000


class Buckets:
    """One token bucket of the same rate for each owner.

    Args:
        rate: of each.
        compiled: code that changes them at once; None to change them under locks.
        groups: of eight buckets each, a power of two.
        clock: nanoseconds that only rise, for tests; None for those since the machine started.

    Attributes:
        rate: of each.
        owner: makes an owner of a number of 64 bits.
        take: takes so many tokens from the bucket of an owner, at most as many as may come at
            once; none looks whether one is left. Gives the units of time (see `Rate`) until the
            bucket is full again; where there are too few tokens, minus those until there are
            enough, and none is taken.
    """

    def __init__(
        self,
        rate: Rate,
        compiled: Library | None,
        groups: int = GROUPS,
        clock: Clock | None = None,
    ) -> None:
        self.rate = rate
        scale = rate.units, rate.period * _NANOSECONDS
        interval, most = rate.parts, rate.burst * rate.parts
        self._memory = mmap.mmap(-1, groups * PLACES * _WORD)
        self.owner: Callable[[int], Any] = int
        self.take: Callable[[Any, int], int]
        if compiled is None:
            table = LockedTable(self._memory, *scale, interval, most)
            self.take = _timed(table.take, clock or time.monotonic_ns)
            return
        self.owner = ctypes.c_uint64
        take, take_at, now = compiled.tokens
        # Kept, so that the memory is not given back while compiled code has its address.
        self._words = (ctypes.c_uint64 * (groups * PLACES)).from_buffer(self._memory)
        place = ctypes.addressof(self._words)
        self._layout = TokenBuckets(place, groups, *scale, interval, most, now())
        layout = ctypes.byref(self._layout)
        self.take = partial(take, layout)
        if clock is not None:
            at = partial(take_at, layout)
            self.take = _timed(lambda *given: at(*given[:2], ctypes.c_int64(given[2])), clock)


def _timed(take: Callable[[Any, int, int], int], clock: Clock) -> Callable[[Any, int], int]:
    start = clock()
    return lambda owner, count: take(owner, count, clock() - start)
