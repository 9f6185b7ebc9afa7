"""A prediction log in a folder of its own, with its pair of keys."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from app.journal import Record, Remark, log_files, make_pair, read, read_private
from app.journal.keys import PublicKey, read_public
from app.journal.records import packed
from app.journal.writing import LogFile


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a log is, and what opens it.

    Attributes:
        folder: of the log.
        private: file of the private key, with the public one beside it.
        key: the private key.
    """

    folder: Path
    private: Path
    key: Any

    @classmethod
    def below(cls, place: Path) -> Self:
        """A new one, in two folders below this."""
        folder, keys = place / "kept", place / "keys"
        folder.mkdir(mode=0o700)
        keys.mkdir()
        private = keys / "predictions.pem"
        make_pair(private)
        return cls(folder, private, read_private(private))

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a service that writes it."""
        return {
            "ORDINATE_PREDICTION_LOG": str(self.folder),
            "ORDINATE_PREDICTION_LOG_KEY": str(self.public_file),
        }

    @property
    def public_file(self) -> Path:
        """The file of the public key."""
        return self.private.with_suffix(".pub")

    @property
    def public(self) -> PublicKey:
        """The public key."""
        return read_public(self.public_file)

    def records(self) -> list[Record]:
        """All that was kept so far."""
        found = [each for path in log_files(self.folder) for each in read(path, self.key)]
        return [each for each in found if isinstance(each, Record)]

    def remarks(self, path: Path) -> list[Remark]:
        """What is to be said of a file."""
        return [each for each in read(path, self.key) if isinstance(each, Remark)]


def record(number: int = 0, body: bytes = b'{"x":[1,2,0.5]}') -> Record:
    """A record of a small prediction."""
    moment = 1_800_000_000_000_000_000 + number
    return Record(moment, f"id-{number}", "tiny/2", "reader", body, b'{"y":1.5}')


def written(path: Path, public: PublicKey, *lots: list[Record], complete: bool = True) -> Path:
    """Write a file with a frame for each of these lots."""
    file = LogFile(path, public)
    for lot in lots:
        file.write(map(packed, lot))
    if complete:
        file.end()
    file.close()
    return path
