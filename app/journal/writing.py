"""One file of a prediction log, being written."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from app.journal.keys import PublicKey
from app.journal.sealing import END, RECORDS, begin
from app.keyfiles import OWNER_ONLY

if sys.platform != "win32":
    import fcntl

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
_SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class LogFile:
    """A new file; its owner's alone, and locked for as long as this process writes to it.

    Args:
        path: that must not exist.
        public: key of the recipient.

    Attributes:
        path: the same.
        size: bytes written so far.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, path: Path, public: PublicKey) -> None:
        self.path = path
        self.size = 0
        self._unwritten, self._chain = begin(public)
        self._descriptor = os.open(path, _FLAGS | _SAFELY, OWNER_ONLY)
        lock(self._descriptor)

    def write(self, records: Iterable[bytes]) -> None:
        """Write these packed records in one frame. Raises OSError; then this file is no use."""
        self._put(RECORDS, b"".join(records))

    def is_there(self) -> bool:
        """Whether the file can still be found where it was made."""
        try:
            found, own = os.stat(self.path, follow_symlinks=False), os.fstat(self._descriptor)
        except OSError:
            return False
        return os.path.samestat(found, own)

    def end(self) -> None:
        """Write the frame by which a reader knows that nothing is missing. Raises OSError."""
        self._put(END, b"")

    def give(self, owner: int, group: int, mode: int) -> None:
        """Make it somebody else's, with these rights. Raises OSError; then it is as it was."""
        if sys.platform != "win32":
            os.fchown(self._descriptor, owner, group)
            os.fchmod(self._descriptor, mode)

    def sync(self) -> None:
        """Have all of it on the disk. Raises OSError."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Let the file go, complete or not; one that holds nothing is removed."""
        with suppress(OSError):
            if not self.size and self.is_there():
                self.path.unlink()
        with suppress(OSError):
            os.close(self._descriptor)

    def _put(self, kind: int, content: bytes) -> None:
        sealed = self._unwritten + self._chain.seal(kind, content)
        self._unwritten = b""
        view = memoryview(sealed)
        while view:
            view = view[os.write(self._descriptor, view) :]
        self.size += len(sealed)


def lock(descriptor: int) -> bool:
    """Take the lock of who may write to a file or replace it; False if another process has it.

    Where a platform or a file system has no such locks, nobody has.
    """
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
