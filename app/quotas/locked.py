"""Token buckets changed under locks, where no compiled code was built.

The words are those of `app/compiled/buckets.c`, without claims. A lock of the system goes when its
process is killed. One that is stopped may hold it, which nobody waits for long: then the bucket is
changed without it. Should the stopped one have been about to write, what was taken meanwhile is
forgotten when it goes on: up to a burst more is then allowed, once.
"""

import mmap
import os
import threading
import time
import weakref
from contextlib import suppress

from app.files import nameless

try:
    import fcntl
except ImportError:  # Windows, where there is one process
    HAS_LOCKS = False
else:
    HAS_LOCKS = True

PLACES = 8
WAIT_SECONDS = 0.1
STUCK_SECONDS = 1.0
"""After a wait in vain nobody waits for so long: a stopped process holds its lock for long."""

_PAUSE_SECONDS = 0.0002
_TAG_SHIFT = 48
_TIME = (1 << 47) - 1


class LockedTable:
    """The buckets of `app.quotas.buckets.Buckets`, whose arguments are explained there."""

    def __init__(
        self, memory: mmap.mmap, numerator: int, denominator: int, interval: int, most: int
    ) -> None:
        self._words = memoryview(memory).cast("Q")
        self._groups = len(self._words) // PLACES
        self._numerator, self._denominator = numerator, denominator
        self._interval, self._most = interval, most
        self._lock = threading.Lock()
        self._stuck: dict[int, float] = {}  # groups that are not waited for, and until when
        self._file: int | None = None
        if HAS_LOCKS:
            self._file = nameless("quotas")  # each of its bytes, never written, locks a group
            weakref.finalize(self, os.close, self._file)

    def take(self, owner: int, count: int, nanoseconds: int) -> int:
        """What `take_tokens_at` of the compiled code does."""
        now = nanoseconds * self._numerator // self._denominator
        group = owner & (self._groups - 1)
        if now + self._most > _TIME:
            return 0
        is_mine = self._lock.acquire(timeout=WAIT_SECONDS)
        try:
            locked = self._claim(group)
            try:
                return self._draw(group * PLACES, owner >> _TAG_SHIFT or 1, count, now)
            finally:
                if locked:
                    self._release(group)
        finally:
            if is_mine:
                self._lock.release()

    def _draw(self, first: int, tag: int, count: int, now: int) -> int:
        places = self._words[first : first + PLACES].tolist()
        tags = [word >> _TAG_SHIFT for word in places]
        times = [max(word & _TIME, now) for word in places]
        own = tags.index(tag) if tag in tags else None
        due = 0 if own is None else times[own] - now
        after = due + (count or 1) * self._interval
        if after > self._most:
            return self._most - after
        if not count:
            return due
        place = times.index(min(times)) if own is None else own
        if self._words[first + place] != places[place]:  # it was stopped, and others were not
            return self._draw(first, tag, count, now)
        self._words[first + place] = tag << _TAG_SHIFT | (now + after)
        return after

    def _claim(self, group: int) -> bool:
        """Lock a group against other processes; False where that takes too long."""
        if self._file is None:
            return False
        until = time.monotonic() + WAIT_SECONDS
        while True:
            with suppress(OSError):
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, group)
                return True
            now = time.monotonic()
            if now < self._stuck.get(group, 0.0):
                return False
            if now > until:
                self._stuck[group] = now + STUCK_SECONDS
                return False
            time.sleep(_PAUSE_SECONDS)

    def _release(self, group: int) -> None:
        assert self._file is not None
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, group)
