"""Request ids: the caller's own if it is sane, else a fresh one."""

import os
import re

from app.masking import holds_secret

_SANE = re.compile(r"[A-Za-z0-9._-]{1,128}")
_DIGITS = 32
_AT_ONCE = 64


def request_id(given: str | None = None) -> str:
    """Return `given` if it may go into headers and logs as it is, else 32 random hex digits.

    A key that somebody sends as an id may not.
    """
    if given and _SANE.fullmatch(given) and not holds_secret(given):
        return given
    try:
        return _waiting.pop()
    except IndexError:
        return _fresh()


def _fresh() -> str:
    digits = os.urandom(_AT_ONCE * _DIGITS // 2).hex()
    ids = [digits[n : n + _DIGITS] for n in range(0, len(digits), _DIGITS)]
    _waiting.extend(ids[1:])
    return ids[0]


# The kernel is asked for some ids at once. A process that is forked has to ask for its own, or all
# workers would hand out the same ones.
_waiting: list[str] = []
if hasattr(os, "register_at_fork"):  # where processes are forked at all
    os.register_at_fork(after_in_child=_waiting.clear)
