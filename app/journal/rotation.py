"""Which file of a prediction log is being written: a new one after a while, or when it is gone."""

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from app.journal.folder import new_name
from app.journal.keys import PublicKey
from app.journal.writing import LogFile

FILE_SECONDS = 3600
FILE_BYTES = 64 << 20
"""After so long, or so many bytes, another file is begun."""

_DISORDER_SECONDS = 1.0
"""By which records may come out of turn, as threads do, without another file for it."""


class Rotation:
    """The files of one process, one after the other.

    The time in a file's name says when it goes, and which records may be in it. So it is that of
    the first record, which may have waited, and a file ends as well where the clock was set: what
    is written after a start with the clock of last year must not go, or be passed over, as old.

    Args:
        folder: where they go.
        public: key that they are sealed for.
    """

    def __init__(self, folder: Path, public: PublicKey) -> None:
        self._folder, self._public = folder, public
        self._file: LogFile | None = None
        self._first = self._until = 0.0

    def write(self, records: Iterable[bytes], first: float) -> None:
        """Write these packed records together, of which the first is of this Unix time.

        Raises OSError; then others go into another file.
        """
        try:
            self._open(first).write(records)
        except BaseException:
            self._let_go()
            raise
        if self._file is not None and self._file.size >= FILE_BYTES:
            self.end()

    def end_if_due(self) -> None:
        """End a file that was begun an hour ago, whether or not anything is to be written."""
        if time.monotonic() >= self._until:
            self.end()

    def end(self) -> None:
        """End the file, if there is one."""
        if self._file is not None:
            with suppress(OSError):  # a reader is told that the end is missing
                self._file.end()
            self._let_go()

    def _open(self, first: float) -> LogFile:
        if self._file is not None and not self._file.is_there():
            self._let_go()  # the folder is gone, or somebody removed the file
        if not -_DISORDER_SECONDS <= first - self._first < FILE_SECONDS:
            self.end()
        if self._file is None:
            self._file = LogFile(self._folder / new_name(first), self._public)
            self._first, self._until = first, time.monotonic() + FILE_SECONDS
        return self._file

    def _let_go(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
