"""A small file that says who may come in, read again when it changes."""

import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from app.errors import StoreError
from app.files import reason
from app.security.storing import identity, read_small

LOOK_SECONDS = 0.5
"""Between two looks at a file, at least."""

MAX_BYTES = 1 << 24

Tell = Callable[[str, str], None]
"""Is told the level and the text of an event."""

T = TypeVar("T")


class Followed(Generic[T]):
    """What a file holds, as far as it can be trusted.

    A file that is not there holds nothing. One that cannot be used leaves what was held before, so
    that a slip of an editor locks nobody out; it is told once for each content.

    Args:
        path: of the file.
        parse: makes a value of its content; raises StoreError.
        nothing: the value of a file that is not there.
        tell: of what goes wrong.
        seconds: between two looks at it.
    """

    def __init__(
        self,
        path: Path,
        parse: Callable[[bytes], T],
        nothing: T,
        tell: Tell,
        seconds: float = LOOK_SECONDS,
    ) -> None:
        self._path, self._parse, self._nothing, self._tell = path, parse, nothing, tell
        self._seconds = seconds
        self._value = nothing
        self._next = 0.0
        self._seen: tuple[int, ...] | None = None
        self._told: str | None = None
        self._lock = threading.Lock()

    def value(self) -> T:
        """What the file held at most half a second ago. Takes microseconds while it is the same."""
        if time.monotonic() >= self._next:
            self._look()
        return self._value

    def _look(self) -> None:
        if not self._lock.acquire(blocking=not self._next):  # one looks, the others go on
            return
        try:
            self._read_if_changed()
            self._next = time.monotonic() + self._seconds
        finally:
            self._lock.release()

    def _read_if_changed(self) -> None:
        try:
            seen = identity(self._path)
            if seen == self._seen:
                return
            data = read_small(self._path, MAX_BYTES)
        except FileNotFoundError:
            self._seen, self._value = None, self._nothing
            self._say("warning", "missing", "it is not there, so nobody gets in by it")
            return
        except OSError as error:
            self._say("error", reason(error), f"it cannot be read: {reason(error)}")
            return
        self._seen = seen
        try:
            self._value = self._parse(data)
            self._told = None
        except StoreError as error:
            digest = hashlib.sha256(data).hexdigest()
            held = self._value is not self._nothing
            then = "what it said before holds on" if held else "nobody gets in by it"
            self._say("error", digest, f"{error.message}; {then}")

    def _say(self, level: str, what: str, text: str) -> None:
        if self._told != what:
            self._told = what
            self._tell(level, f"{self._path}: {text}")
