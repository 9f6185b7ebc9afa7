"""How many connections each worker has, where all of them can see it."""

import mmap
import os

PLACES = 1024
_NOBODY = 1 << 62
"""Connections of a place that no worker has: nobody waits for it to take one more."""

_RELOADS, _STOP, _END = 0, 1, 2


class Shares:
    """Process id and connections of each worker, in memory that is mapped before they are forked.

    Each worker writes its own pair, in whole words; everybody reads all of them. What is read may
    be out of date, and that of a worker that was killed stays until its parent notices: it must
    only ever decide who goes first.
    """

    def __init__(self) -> None:
        words = memoryview(mmap.mmap(-1, (4 + 2 * PLACES) * 8)).cast("q")
        self._used = words[:1]  # places, counted from the first
        self._changes = words[1:4]  # reloads, and whether there is a stop, and an end
        self._pids, self._counts = words[4 : 4 + PLACES], words[4 + PLACES :]

    def reloaded(self) -> None:
        """Say that the present workers make way for new ones. For the parent alone."""
        self._changes[_RELOADS] += 1

    def stopped(self, *, is_last: bool) -> None:
        """Say that all workers are told to go, and no other service is there to take over.

        For the parent alone, which says as well whether nobody else has their sockets.
        """
        self._changes[_STOP], self._changes[_END] = True, is_last

    def claim(self) -> "Share":
        """The share of a worker about to be forked. For the parent alone."""
        for place in range(PLACES):
            pid = self._pids[place]
            if not pid or not _is_alive(pid):
                self._pids[place] = os.getpid()  # until the worker says its own
                self._counts[place] = _NOBODY
                self._used[0] = max(self._used[0], place + 1)
                return Share(self._pids, self._counts, self._used, self._changes, place)
        return Share(self._pids, self._counts, self._used, self._changes, None)


class Share:
    """That of one worker; without a place it is always first."""

    def __init__(
        self,
        pids: "memoryview[int]",
        counts: "memoryview[int]",
        used: "memoryview[int]",
        changes: "memoryview[int]",
        place: int | None,
    ) -> None:
        self._pids, self._counts, self._used, self._place = pids, counts, used, place
        self._changes, self._born = changes, changes[_RELOADS]
        self._has_left = False

    @property
    def is_outdated(self) -> bool:
        """Whether the service was reloaded since, so that others take over."""
        return self._changes[_RELOADS] != self._born

    @property
    def is_stopped(self) -> bool:
        """Whether the service stops, and not this worker alone."""
        return bool(self._changes[_STOP])

    @property
    def is_last(self) -> bool:
        """Whether nobody takes over from this worker, nor from any other."""
        return bool(self._changes[_END])

    def enter(self) -> None:
        """Say that this process has it."""
        if self._place is not None:
            self._pids[self._place] = os.getpid()
            self._counts[self._place] = 0

    def tell(self, count: int) -> None:
        """Say how many connections there are, for as long as more are taken."""
        if self._place is not None and not self._has_left:
            self._counts[self._place] = count

    def leave(self) -> None:
        """Say that no more are taken: nobody waits for this worker from now on."""
        self.tell(_NOBODY)
        self._has_left = True

    def release(self) -> None:
        """Let another worker have the place. For the parent alone, when this one has ended."""
        if self._place is not None:
            self._pids[self._place], self._counts[self._place] = 0, _NOBODY

    def is_first(self, count: int) -> bool:
        """Whether no other worker has fewer connections than so many."""
        if self._place is None:
            return True
        return count <= min(self._counts[: self._used[0]])


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
