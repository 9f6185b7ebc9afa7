"""Where what was accepted is remembered: in memory that processes share, or in a folder."""

import errno
import hashlib
import os
import sys
import time
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

import orjson

from app.files import Folder, locked, nameless, replace

if sys.platform != "win32":
    import fcntl

LOCK_SECONDS = 5.0
MAX_BYTES = 4096

_POLL_SECONDS = 0.01
_SEAL = 32


class Place(Protocol):
    """Remembers some bytes for each name. All of it raises OSError."""

    def read(self, name: str) -> bytes | None:
        """What was written last."""

    def write(self, name: str, data: bytes) -> None:
        """Put it in the place of what was written before."""

    def alone(self) -> AbstractContextManager[object]:
        """Keep other processes from writing."""


class Kept:
    """A folder, with a file a model: outlasts the service. It must be there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes | None:
        """What was written last."""
        try:
            with Folder.open(self._folder) as opened:
                return opened.read(f"{name}.current", MAX_BYTES)
        except FileNotFoundError:
            if self._folder.is_dir():
                return None
            raise

    def write(self, name: str, data: bytes) -> None:
        """Put it in the place of what was written before, down to the disk."""
        replace(self._folder / f"{name}.current", data)

    def alone(self) -> AbstractContextManager[object]:
        """Hold the folder's lock."""
        return locked(self._folder, LOCK_SECONDS)


class Shared:
    """A file without a name that a process and those forked from it have open: gone with them.

    It holds the SHA-256 of the rest, then JSON in as many bytes as the first 8 of it say. It is
    written in one call, and who reads in the middle of that reads again.
    """

    def __init__(self) -> None:
        self._file = nameless("accepted")
        weakref.finalize(self, os.close, self._file)

    def read(self, name: str) -> bytes | None:
        """What was written last."""
        text = self._all().get(name)
        return None if text is None else text.encode()

    def write(self, name: str, data: bytes) -> None:
        """Put it in the place of what was written before."""
        text = orjson.dumps({**self._all(), name: data.decode()})
        body = len(text).to_bytes(8, "little") + text
        os.pwrite(self._file, hashlib.sha256(body).digest() + body, 0)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the file's lock, which the kernel lets go of when a process dies."""
        self._lock()
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)

    def _lock(self) -> None:
        until = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
            if time.monotonic() >= until:
                raise TimeoutError("another process does not let go of it")
            time.sleep(_POLL_SECONDS)

    def _all(self) -> dict[str, str]:
        until = time.monotonic() + LOCK_SECONDS
        while True:
            data = os.pread(self._file, os.fstat(self._file).st_size, 0)
            size = int.from_bytes(data[_SEAL : _SEAL + 8], "little")
            body = data[_SEAL : _SEAL + 8 + size]
            if not data:
                return {}
            if hashlib.sha256(body).digest() == data[:_SEAL]:
                found: dict[str, str] = orjson.loads(body[8:])
                return found
            if time.monotonic() >= until:
                raise TimeoutError("it is never read as it was written")
            time.sleep(_POLL_SECONDS)


class Single:
    """The memory of one process, where no other is forked from it: on Windows."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def read(self, name: str) -> bytes | None:
        """What was written last."""
        return self._kept.get(name)

    def write(self, name: str, data: bytes) -> None:
        """Put it in the place of what was written before."""
        self._kept[name] = data

    def alone(self) -> AbstractContextManager[object]:
        """There are no others."""
        return nullcontext()


def in_memory() -> Place:
    """The place that lasts as long as the service."""
    return Single() if sys.platform == "win32" else Shared()
