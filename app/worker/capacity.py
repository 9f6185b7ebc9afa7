"""How many connections a worker keeps, and which of them go when there are more."""

import os
import resource
from collections.abc import Callable, Iterable
from contextlib import suppress
from heapq import nsmallest

from app.worker.connection import Connection
from app.worker.doorstep import KEPT

_RESERVE = 64
"""Descriptors that are left for models, logs and whatever else is opened for a moment."""

_IDLE_SECONDS = 1.0
"""A connection is idle that was not used for so long."""

_AT_ONCE = 32
"""Idle connections that are closed together, since all of them must be looked at."""


def room(wanted: int, warn: Callable[[str], None]) -> int:
    """How many connections this process can have, where it should have as many as `wanted`.

    Raises the limit on its descriptors, as far as it may, and warns if that is not enough.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = len(os.listdir("/dev/fd")) + _RESERVE + KEPT
    needed = wanted + taken
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    with suppress(ValueError, OSError):  # macOS allows less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(1, min(wanted, soft - taken))
    if most < wanted:
        warn(
            f"There are descriptors for {most} connections instead of {wanted}: raise `ulimit -n`."
        )
    return most


def make_room(connections: Iterable[object], now: float) -> bool:
    """Close those that were idle for longest; whether there were any.

    Args:
        connections: of this worker.
        now: on the event loop's clock.
    """
    idle = [
        (since, id(each), each)
        for each in connections
        if isinstance(each, Connection)
        and (since := each.idle_since()) is not None
        and now - since > _IDLE_SECONDS
    ]
    for _, _, each in nsmallest(_AT_ONCE, idle):
        each.close()
    return bool(idle)
