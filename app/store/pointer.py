"""``current``: the file that names the version which answers for a model."""

import time
from dataclasses import dataclass
from pathlib import Path

import orjson

from app.errors import BrokenModel
from app.files import Folder
from app.signing import Keys, Signature, about_current

CURRENT = "current"
MAX_POINTER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Pointer:
    """What ``current`` holds: a version and the SHA-256 of its manifest's bytes.

    Attributes:
        sequence: where it is signed, a number above those of all earlier pointers of the model.
        signature: of the model's name and all of the above.
    """

    version: int
    manifest_sha256: str
    sequence: int | None = None
    signature: Signature | None = None

    def to_bytes(self) -> bytes:
        """As written to disk."""
        content: dict[str, object] = {
            "version": self.version,
            "manifest_sha256": self.manifest_sha256,
        }
        if self.sequence is not None and self.signature is not None:
            content |= {"sequence": self.sequence, **self.signature.to_json()}
        return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Pointer":
        """Read what `to_bytes` wrote. Raises BrokenModel on anything else."""
        try:
            content = orjson.loads(data)
            version, manifest_sha256 = int(content["version"]), str(content["manifest_sha256"])
            pointer = cls(version, manifest_sha256)
            if "sequence" in content:
                sequence, signature = int(content["sequence"]), Signature.from_json(content)
                pointer = cls(version, manifest_sha256, sequence, signature)
            intact = pointer.version > 0 and pointer.to_bytes() == data
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise BrokenModel("its current file is damaged") from error
        if not intact:
            raise BrokenModel("its current file is damaged")
        return pointer

    def names(self, manifest_sha256: str) -> bool:
        """Whether this is the manifest of the version that it names."""
        return self.manifest_sha256 == manifest_sha256

    def statement(self, name: str) -> bytes:
        """What its signature is of."""
        return about_current(name, self.version, self.manifest_sha256, self.sequence or 0)


def next_pointer(keys: Keys, folder: Path, version: int, manifest_sha256: str) -> Pointer:
    """The pointer that makes a version of the model in this folder current, signed if it can be.

    Its sequence is the time in milliseconds, or the next number where the clock is behind: it rises
    from one pointer to the next on all machines that sign, also when the file was lost in between.

    Raises:
        StoreError: it would have to be signed, and there is no key.
    """
    keys.check_signer()
    if keys.signer is None:
        return Pointer(version, manifest_sha256)
    sequence = max(time.time_ns() // 1_000_000, _sequence(keys, folder) + 1)
    statement = about_current(folder.name, version, manifest_sha256, sequence)
    return Pointer(version, manifest_sha256, sequence, keys.signer.sign(statement))


def _sequence(keys: Keys, folder: Path) -> int:
    """That of the present pointer, if it is by a key that is known; anybody can write a number."""
    try:
        with Folder.open(folder) as opened:
            pointer = Pointer.from_bytes(opened.read(CURRENT, MAX_POINTER_BYTES))
    except (OSError, BrokenModel):
        return 0
    known = pointer.signature and keys.knows(pointer.statement(folder.name), pointer.signature)
    return pointer.sequence or 0 if known else 0
