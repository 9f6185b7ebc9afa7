"""Token buckets that all workers of this machine draw from.

The memory is mapped before the workers fork. Where compiled code was built, every change is one
compare-and-swap, which `app/compiled/buckets.c` explains; elsewhere `app.quotas.locked` does the
same with locks, in the same words.
"""

import ctypes
import mmap
import time
from collections.abc import Callable
from typing import Any

from app.compiled.library import Library, TokenBuckets
from app.quotas.locked import PLACES, LockedTable
from app.rates import Rate

GROUPS = 1 << 13
"""Groups of a table for any number of owners: 65,536 buckets in 512 KiB."""

_WORD = 8
_NANOSECONDS = 1_000_000_000


class Buckets:
    """One token bucket of the same rate for each owner.

    Args:
        rate: of each.
        compiled: code that changes them at once; None to change them under locks.
        groups: of eight buckets each, a power of two.
        clock: nanoseconds that only ever rise, the same in all processes of this machine.
    """

    def __init__(
        self,
        rate: Rate,
        compiled: Library | None,
        groups: int = GROUPS,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.rate = rate
        self._clock, self._start = clock, clock()
        self._memory = mmap.mmap(-1, groups * PLACES * _WORD)
        interval, most = rate.parts, rate.burst * rate.parts
        numerator, denominator = rate.units, rate.period * _NANOSECONDS
        self._take: Callable[[Any, int, int, int], int]
        self._table: Any
        if compiled is None:
            self._take = LockedTable.take
            self._table = LockedTable(self._memory, numerator, denominator, interval, most)
            return
        # Kept, so that the memory is not given back while compiled code has its address.
        self._words = (ctypes.c_uint64 * (groups * PLACES)).from_buffer(self._memory)
        place = ctypes.addressof(self._words)
        self._layout = TokenBuckets(place, groups, numerator, denominator, interval, most)
        self._take, self._table = compiled.take_tokens, ctypes.byref(self._layout)

    def take(self, owner: int, count: int) -> int:
        """Take so many tokens.

        Args:
            owner: a hash of 64 bits.
            count: at most as many as may come at once; none only looks.

        Returns:
            Units of time (see `Rate`) until the bucket is full again; where there are too few
            tokens, minus those until there are enough, and none is taken.
        """
        return self._take(self._table, owner, count, self._clock() - self._start)
