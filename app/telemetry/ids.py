"""Request ids: the caller's own if it is sane, else a fresh one."""

import os
import re

_SANE = re.compile(r"[A-Za-z0-9._-]{1,128}")


def request_id(given: str | None = None) -> str:
    """Return `given` if it may go into headers and logs as it is, else 32 random hex digits.

    The kernel is asked for each id: generators of our own would be copied by fork, and all workers
    would then hand out the same ids.
    """
    if given and _SANE.fullmatch(given):
        return given
    return os.urandom(16).hex()
