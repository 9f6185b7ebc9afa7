"""The few file-system operations that must be exactly right.

Reading goes through folders held open, one path component at a time and never through a link, so
that nothing outside the models folder can be reached and nothing can be swapped in between.
Writing never truncates: what is there stays whole until its replacement is complete on disk.
"""

import errno
import os
import secrets
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

if sys.platform != "win32":
    import fcntl

TEMPORARY = ".tmp-"
"""Prefix of names that a crash may leave behind; nothing reads them."""

_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_HAS_DIR_FD = os.open in os.supports_dir_fd
_POLL_SECONDS = 0.02


class Folder:
    """A folder held open for reading.

    Where the platform has no descriptors of folders (Windows), paths are checked for links instead.
    """

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def open(cls, path: Path) -> "Folder":
        """Open the top folder; this path alone may lead through links. Raises OSError."""
        if not _HAS_DIR_FD:
            return cls(path.resolve(strict=True), None)
        return cls(path, os.open(path, _READ | os.O_DIRECTORY))

    def folder(self, name: str) -> "Folder":
        """Open a folder in this one. Raises OSError, also when it is a link or a file."""
        path = self._path / name
        if self._descriptor is None:
            _refuse_link(path)
            return Folder(path, None)
        flags = _READ | os.O_DIRECTORY | _SAFELY
        try:
            return Folder(path, os.open(name, flags, dir_fd=self._descriptor))
        except NotADirectoryError:  # Linux says this of links as well
            found = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
            if stat.S_ISLNK(found.st_mode):
                raise OSError(errno.ELOOP, "it is a link", name) from None
            raise

    def names(self) -> list[str]:
        """Names of what is in this folder, in no order. Raises OSError."""
        return os.listdir(self._path if self._descriptor is None else self._descriptor)

    def identity(self, name: str) -> tuple[int, ...]:
        """Numbers that differ after what is called so was changed or replaced. Raises OSError."""
        if self._descriptor is None:
            found = os.stat(self._path / name, follow_symlinks=False)
        else:
            found = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_mode

    def read(self, name: str, limit: int) -> bytes:
        """All bytes of a regular file in this folder.

        Raises:
            OSError: it is absent, a link, a pipe, a device or a folder (never waits for any of
                them), cannot be read, or has more than `limit` bytes.
        """
        descriptor = self._open_file(name)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EINVAL, "it is not a regular file", name)
            if found.st_size > limit:
                raise OSError(errno.EFBIG, f"it has more than {limit} bytes", name)
            return _read_at_most(descriptor, found.st_size + 1)
        finally:
            os.close(descriptor)

    def _open_file(self, name: str) -> int:
        if self._descriptor is None:
            _refuse_link(self._path / name)
            return os.open(self._path / name, _READ)
        return os.open(name, _READ | _SAFELY, dir_fd=self._descriptor)

    def __enter__(self) -> "Folder":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)


def _refuse_link(path: Path) -> None:
    if path.is_symlink() or path.resolve(strict=True) != path:
        raise OSError(errno.ELOOP, "it is a link", path.name)


def _read_at_most(descriptor: int, size: int) -> bytes:
    pieces = []
    while size > 0 and (piece := os.read(descriptor, min(size, 1 << 24))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def reason(error: OSError) -> str:
    """What the system says of an error, without the path."""
    if error.errno == errno.ELOOP:
        return "it is a link"
    return error.strerror or type(error).__name__


def write_new(
    path: Path, data: bytes, mode: int = 0o666, finish: Callable[[int], None] | None = None
) -> None:
    """Write a file that must not exist yet, down to the disk. Raises OSError.

    Args:
        path: of the file.
        data: that it is to hold.
        mode: from which the process's umask takes away what it always does.
        finish: is given the descriptor when all is written. Owner and rights are changed by that:
            what is at the path meanwhile is up to who may write to the folder.
    """

    def opened(name: str, flags: int) -> int:
        return os.open(name, flags, mode)

    with open(path, "xb", buffering=0, opener=opened) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
        if finish is not None:
            finish(file.fileno())
        os.fsync(file.fileno())


def replace(path: Path, data: bytes) -> None:
    """Put a new file in the place of `path` in one step, down to the disk. Raises OSError."""
    temporary = path.with_name(temporary_name())
    try:
        write_new(temporary, data)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):  # what went wrong first is what the caller must hear of
            temporary.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make renames within a folder last through a power cut. Raises OSError."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, _READ | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def temporary_name() -> str:
    """A fresh name for something that is not complete yet."""
    return f"{TEMPORARY}{secrets.token_hex(8)}"


def nameless(purpose: str) -> int:
    """A file that nobody else can open, for this process and those forked from it; a descriptor."""
    if hasattr(os, "memfd_create"):  # needs no folder that can be written
        return os.memfd_create(purpose)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


@contextmanager
def locked(path: Path, seconds: float) -> Iterator[bool]:
    """Hold a folder's lock, which the kernel lets go of when its process ends in any way.

    Yields:
        Whether the lock is held: False on file systems and platforms that have none for folders,
        where writers must bear each other's presence.

    Raises:
        TimeoutError: another process kept it for all of `seconds`.
    """
    if sys.platform == "win32":
        yield False
        return
    descriptor = os.open(path, _READ | os.O_DIRECTORY)
    try:
        yield _lock(descriptor, seconds)
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether somebody holds a folder's lock; False where that cannot be told."""
    if sys.platform == "win32":
        return False
    try:
        descriptor = os.open(path, _READ | _SAFELY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EACCES)
    finally:
        os.close(descriptor)
    return False


def _lock(descriptor: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError as error:
            if error.errno in (errno.EBADF, errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                return False
            if error.errno not in (errno.EAGAIN, errno.EACCES, errno.EINTR):
                raise
        if time.monotonic() >= until:
            raise TimeoutError(f"another process has held the lock for {seconds:g} s")
        time.sleep(_POLL_SECONDS)
