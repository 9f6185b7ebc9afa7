"""The file of API keys, as the admin tool changes it: whole, one change at a time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from app.diagnosis import nearest
from app.errors import StoreError
from app.files import locked, reason
from app.masking import holds_secret, mask
from app.security.api_keys import NewKey, id_of, new_key
from app.security.callers import Caller
from app.security.records import LAST_SECOND, Record, from_bytes, is_name, to_bytes
from app.security.storing import read_small, replace_private

MAX_BYTES = 1 << 24
LOCK_SECONDS = 10.0
DAY, HOUR = 86400, 3600

HandOver = Callable[[NewKey], None]
"""Is given a new key just before it counts. Where it raises, nothing is changed: nobody else has
the key, which may take the place of one that is in use."""


def _to_nobody(_made: NewKey) -> None:
    pass


class KeyFile:
    """All keys of a service, with their digests. A file that is not there holds none.

    Args:
        path: of the file; its folder must be there.
        now: tells the Unix time.
    """

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self._path, self._now = path, now

    def read(self) -> list[Record]:
        """All records. Raises StoreError."""
        try:
            return from_bytes(read_small(self._path, MAX_BYTES))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"{self._path} cannot be read: {reason(error)}") from error
        except StoreError as error:
            raise StoreError(
                f"{self._path} is damaged: {error.message}; mend it, or put back a copy"
            ) from error

    def add(
        self, caller: Caller, days: int | None = None, hand_over: HandOver = _to_nobody
    ) -> NewKey:
        """Make a key.

        Args:
            caller: its name, scopes and models.
            days: that it is good for; None for ever.
            hand_over: is given the key.

        Raises:
            StoreError: the name is taken or no name, or the file cannot be changed.
        """
        name = caller.name or ""
        if not is_name(name) or holds_secret(name):
            raise StoreError(
                f"{mask(name)[:80]!r} is no name for a key: "
                "use at most 63 letters, digits, blanks and . _ @ -, a letter or digit first"
            )
        made, now = new_key(), int(self._now())
        expires = None if days is None else now + days * DAY

        def change(records: list[Record]) -> list[Record]:
            if any(name in (each.name, each.id) and not each.is_over(now) for each in records):
                raise StoreError(
                    f"there is a key named {name!r} already: "
                    "`keys rotate` replaces it, `keys revoke` ends it"
                )
            kept = [each for each in records if each.name != name]
            return [*kept, Record(made.id, made.digest, caller, now, expires)]

        self._change(change, partial(hand_over, made))
        return made

    def revoke(self, which: str) -> list[Record]:
        """Take away the keys of this name, or that with this id, or this one. Raises StoreError."""
        gone: list[Record] = []

        def change(records: list[Record]) -> list[Record]:
            gone[:] = _named(records, which)
            return [each for each in records if each not in gone]

        self._change(change)
        return gone

    def rotate(self, name: str, grace: int = 0, hand_over: HandOver = _to_nobody) -> NewKey:
        """Make a key with the rights of another, in its place.

        Args:
            name: of the key, or its id. The new one lasts as long as the old was meant to.
            grace: hours for which the old one is still good.
            hand_over: is given the new key.

        Raises:
            StoreError: there is none, or the file cannot be changed.
        """
        made, now = new_key(), int(self._now())

        def change(records: list[Record]) -> list[Record]:
            found = reversed(_named(records, name))  # of one second's keys the last is the newest
            newest = max(found, key=lambda each: each.created)
            lasts = None
            if newest.expires is not None:  # in the year 9999, where somebody has written "never"
                lasts = min(now + newest.expires - newest.created, LAST_SECOND)
            kept = [each for each in records if each.name != newest.name]
            if grace:
                until = now + grace * HOUR
                old = [each for each in records if each.name == newest.name]
                kept += [_until(each, until) for each in old if not each.is_over(now)]
            return [*kept, Record(made.id, made.digest, newest.caller, now, lasts)]

        self._change(change, partial(hand_over, made))
        return made

    def _change(
        self,
        change: Callable[[list[Record]], list[Record]],
        last: Callable[[], None] | None = None,
    ) -> None:
        """Replace the file by what is made of it, while nobody else does. Raises StoreError."""
        path = self._path.resolve()
        try:
            with locked(path.parent, LOCK_SECONDS):
                replace_private(path, to_bytes(change(self.read())), last)
        except TimeoutError as error:
            raise StoreError(f"{self._path} cannot be changed now: {error}; try again") from error
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {reason(error)}") from error


def _named(records: Sequence[Record], which: str) -> list[Record]:
    found = [each for each in records if each.name == which]
    found = found or [each for each in records if each.id in (which, id_of(which))]
    if not found:
        names = sorted({each.name for each in records})
        hint = nearest(which, names) if names else "there are none"
        shown = mask(which)[:80]
        raise StoreError(f"there is no key with the name or id {shown!r}: {hint}")
    return found


def _until(record: Record, second: int) -> Record:
    expires = second if record.expires is None else min(record.expires, second)
    return replace(record, expires=expires)
