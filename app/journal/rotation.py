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


class Rotation:
    """The files of one process, one after the other.

    Args:
        folder: where they go.
        public: key that they are sealed for.
    """

    def __init__(self, folder: Path, public: PublicKey) -> None:
        self._folder, self._public = folder, public
        self._file: LogFile | None = None
        self._until = 0.0

    def write(self, records: Iterable[bytes]) -> None:
        """Write these packed records together. Raises OSError; then others go into another file."""
        try:
            self._open().write(records)
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

    def _open(self) -> LogFile:
        if self._file is not None and not self._file.is_there():
            self._let_go()  # the folder is gone, or somebody removed the file
        if self._file is None:
            self._file = LogFile(self._folder / new_name(time.time()), self._public)
            self._until = time.monotonic() + FILE_SECONDS
        return self._file

    def _let_go(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
