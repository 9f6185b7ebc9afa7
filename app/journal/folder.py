"""The folder of a prediction log: what its files are called, and which are too old."""

import os
import re
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from app.files import TEMPORARY
from app.journal.writing import lock

DAY_SECONDS = 86400

_MAKING_SECONDS = 60.0
"""A file is made, and locked, in a moment."""

_ERASING_SECONDS = 3600.0
"""Who erases writes all the time, and is done with a file long before that."""

_LOOK = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)

_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"(\d{8}T\d{6}Z)-\d+-[0-9a-f]{8}\.sealed")


def new_name(now: float) -> str:
    """A name for a file that begins now: its time in UTC, the process, and eight random digits."""
    stamp = time.strftime(_STAMP, time.gmtime(now))
    return f"{stamp}-{os.getpid()}-{secrets.token_hex(4)}.sealed"


def begun(name: str) -> float | None:
    """When a file of this name was begun, Unix time; None where it is no file of a log."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        return datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def log_files(folder: Path) -> list[Path]:
    """The files of the log in this folder, oldest first. Raises OSError."""
    return sorted(folder / name for name in os.listdir(folder) if begun(name) is not None)


def remove_expired(folder: Path, days: int, now: float) -> Iterator[tuple[str, OSError | None]]:
    """Remove the files of any process whose first record is so old.

    The time in its name decides, since that of a file changes when it is copied. What an erasing
    that was cut off has left behind goes as well.

    Yields:
        The name of each, and the error where it could not be removed.
    """
    try:
        paths = [path for path in log_files(folder) if _is_expired(path, days, now)]
        paths += [path for path in _temporary_files(folder) if _is_left(path, now)]
    except OSError:  # whoever writes tells of a folder that is gone
        return
    for path in paths:
        try:
            path.unlink()
        except FileNotFoundError:  # another worker was faster
            continue
        except OSError as error:
            yield path.name, error
        else:
            yield path.name, None


def _is_expired(path: Path, days: int, now: float) -> bool:
    began = begun(path.name)
    return began is not None and began + days * DAY_SECONDS <= now


def _temporary_files(folder: Path) -> list[Path]:
    return [folder / name for name in os.listdir(folder) if name.startswith(TEMPORARY)]


def _is_left(path: Path, now: float) -> bool:
    """Whether nobody writes to a file any more: who does holds its lock."""
    age = 0.0
    try:
        age = now - path.stat(follow_symlinks=False).st_mtime
        if age < _MAKING_SECONDS:
            return False
        descriptor = os.open(path, _LOOK)
    except PermissionError:  # somebody else erases, or root, and the lock of their file is theirs
        return age >= _ERASING_SECONDS
    except OSError:
        return False
    try:
        return lock(descriptor)
    finally:
        os.close(descriptor)
