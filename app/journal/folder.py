"""The folder of a prediction log: what its files are called, and which are too old."""

import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

DAY_SECONDS = 86400

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


def remove_expired(folder: Path, days: int, now: float) -> Iterator[str]:
    """Remove the files of any process whose first record is so old. Gives their names.

    The time in its name decides, since that of a file changes when it is copied.
    """
    with suppress(OSError):  # whoever writes tells of a folder that is gone
        for path in log_files(folder):
            began = begun(path.name)
            if began is not None and began + days * DAY_SECONDS <= now:
                with suppress(FileNotFoundError):  # another worker was faster
                    path.unlink()
                    yield path.name
