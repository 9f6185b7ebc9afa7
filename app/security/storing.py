"""How small private files are read and written."""

import errno
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from app.files import sync_folder, temporary_name, write_new

if sys.platform != "win32":
    import pwd

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


def replace_private(
    path: Path, data: bytes, last: Callable[[], None] | None = None, like: Path | None = None
) -> None:
    """Put a new file in the place of `path` in one step, down to the disk.

    A new file can be read by its owner alone, and by who can read the one that it is like. One that
    was there keeps owner, group and rights: an administrator who changes it must not lock out the
    service that it was made for. Who may not give files away becomes their owner, if those who
    could read the file still can.

    Args:
        path: of the file.
        data: that it is to hold.
        last: is called when all is on the disk but for the new name, so that hardly anything can
            go wrong behind it; whatever it raises leaves what was there as it was.
        like: a file whose group and rights a new one gets, if it can.

    Raises:
        OSError: it cannot be written, or not so; what was there is as it was.
    """
    path = path.resolve()  # a link stays one
    temporary = path.with_name(temporary_name())
    try:
        write_new(temporary, data, 0o600, partial(_inherit, path, like))
        if last is not None:
            last()
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


def _inherit(path: Path, like: Path | None, descriptor: int) -> None:
    try:
        old = path.stat()
    except FileNotFoundError:
        if like is not None and sys.platform != "win32":
            with suppress(OSError):  # it stays its owner's alone
                found = like.stat()
                os.fchown(descriptor, -1, found.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(found.st_mode))
        return
    _take_over(old, descriptor)


def _take_over(old: os.stat_result, new: int) -> None:
    if sys.platform == "win32":
        return
    for uid, gid in ((-1, old.st_gid), (old.st_uid, -1)):  # a group may be kept without the owner
        with suppress(OSError):  # only who may give files away can do this
            os.fchown(new, uid, gid)
    if not _is_read_as_before(old, os.fstat(new)):
        who = f"user {old.st_uid}"
        if os.geteuid() == old.st_uid:  # who may not be in the group of his own file
            who = f"somebody in group {old.st_gid}"
        raise PermissionError(
            errno.EPERM,
            f"its owner {old.st_uid} and group {old.st_gid} cannot be kept, and the service might "
            f"not read it any more; it is as it was, do this as root or as {who}",
        )
    os.fchmod(new, stat.S_IMODE(old.st_mode))


def _is_read_as_before(old: os.stat_result, new: os.stat_result) -> bool:
    """Whether a file with the rights of the old one can be read by who could read that."""
    of_group, of_all = old.st_mode >> 3 & 0o7, old.st_mode & 0o7
    if new.st_gid != old.st_gid and of_group != of_all:
        return False
    if old.st_uid in (new.st_uid, 0):  # root reads everything
        return True
    left = of_group if _is_member(old.st_uid, old.st_gid) else of_all
    return bool(left & 0o4)


def _is_member(uid: int, gid: int) -> bool:
    """Whether a user is in a group; one that this machine has no name for is believed to be."""
    if sys.platform == "win32":
        return False
    try:
        user = pwd.getpwuid(uid)
    except KeyError:
        return True
    return gid in os.getgrouplist(user.pw_name, user.pw_gid)
