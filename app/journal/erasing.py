"""Taking single records out of a prediction log, for the right to erasure."""

import errno
import os
import stat
from collections.abc import Container
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.errors import StoreError
from app.files import reason, sync_folder, temporary_name
from app.journal.reading import Remark, read
from app.journal.records import Record, framed, packed
from app.journal.writing import LogFile, lock

# A pipe is not waited for: that it is no file is said when it is read.
_LOOK = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def erase(path: Path, private: Any, request_ids: Container[str]) -> int:
    """Write a file anew without the records of these requests.

    Args:
        path: of a file that no worker writes to any more.
        private: key that opens it; what stays is sealed for the same.
        request_ids: whose records are to go.

    Returns:
        How many were taken out; a file without any is left as it is.

    Raises:
        FileNotFoundError: there is no such file.
        StoreError: it is damaged, still being written, or cannot be replaced; it is as it was.
    """
    try:
        descriptor = os.open(path, _LOOK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {reason(error)}") from error
    try:
        if not lock(descriptor):
            raise StoreError(
                f"{path} is still being written, and erased from when it is complete: "
                "at the latest an hour after it was begun, or when the service is restarted"
            )
        old = os.fstat(descriptor)
        if not os.path.samestat(old, path.stat(follow_symlinks=False)):
            # The lock is that of a file which is gone: of two who erase from its successor, one
            # would bring back what the other takes out.
            raise StoreError(f"{path} was replaced meanwhile, as by another erasing: try again")
        return _erase(path, private, request_ids, old)
    finally:
        os.close(descriptor)


def _erase(path: Path, private: Any, request_ids: Container[str], old: os.stat_result) -> int:
    found = list(read(path, private))
    for each in found:
        if isinstance(each, Remark) and each.is_absent:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        if isinstance(each, Remark) and each.is_damage:
            raise StoreError(f"{path} {each.text}: remove the whole file to be sure")
    records = [each for each in found if isinstance(each, Record)]
    kept = [record for record in records if record.request_id not in request_ids]
    if len(kept) < len(records):
        _replace(path, private, kept, old)
    return len(records) - len(kept)


def _replace(path: Path, private: Any, records: list[Record], old: os.stat_result) -> None:
    temporary = path.with_name(temporary_name())
    try:
        file = LogFile(temporary, private.public_key())
        try:
            for lot in framed(records):
                file.write(map(packed, lot))
            file.end()
            with suppress(OSError):  # only root can give it away; else it is whose it is, alone
                file.give(old.st_uid, old.st_gid, stat.S_IMODE(old.st_mode))
            file.sync()
            os.replace(temporary, path)
        finally:
            file.close()
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):  # what went wrong first is what the caller must hear of
            temporary.unlink()
        raise StoreError(f"{path} cannot be replaced: {reason(error)}") from error
