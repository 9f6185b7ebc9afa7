"""How small private files are read and written."""

import errno
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from app.files import sync_folder, temporary_name, write_new

_AT_ONCE = getattr(os, "O_NONBLOCK", 0)


def read_small(path: Path, limit: int) -> bytes:
    """All bytes of a regular file, which a link may lead to: that is how secrets are mounted.

    Raises:
        OSError: it is absent, no regular file (it waits for no pipe), has more than `limit` bytes,
            or cannot be read.
    """

    def opened(name: str, flags: int) -> int:
        return os.open(name, flags | _AT_ONCE)

    with open(path, "rb", buffering=0, opener=opened) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", path.name)
        data, piece = b"", b"-"
        while piece and len(data) <= limit:
            piece = file.read(limit + 1 - len(data)) or b""
            data += piece
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"it has more than {limit} bytes", path.name)
    return data


def replace_private(path: Path, data: bytes) -> None:
    """Put a new file in the place of `path` in one step, down to the disk.

    A new file can be read by its owner alone. One that was there keeps owner and rights: an
    administrator who changes it must not lock out the service that it was made for.

    Raises:
        OSError: it cannot be written.
    """
    path = path.resolve()  # a link stays one
    temporary = path.with_name(temporary_name())
    try:
        write_new(temporary, data, 0o600)
        with suppress(FileNotFoundError):
            _take_over(path.stat(), temporary)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):  # what went wrong first is what the caller must hear of
            temporary.unlink()
        raise
    sync_folder(path.parent)


def identity(path: Path) -> tuple[int, ...]:
    """Numbers that differ after a file was changed or replaced. Raises OSError."""
    found = os.stat(path)
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _take_over(old: os.stat_result, new: Path) -> None:
    if sys.platform == "win32":
        return
    with suppress(PermissionError):  # only who may give files away can do this
        os.chown(new, old.st_uid, old.st_gid)
    os.chmod(new, stat.S_IMODE(old.st_mode))
