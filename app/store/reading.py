"""Reading the models folder. What serves gets only this half, which cannot write."""

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from app.errors import BrokenModel, StoreError, UnknownModel
from app.files import Folder
from app.manifest import Digest, Manifest
from app.store.history import History, gone_back, read_history
from app.store.labels import Labels, read_labels
from app.store.names import check_name, is_name, version_number

MANIFEST = "manifest.json"
CURRENT = "current"
DEFAULT = "default"

MAX_MANIFEST_BYTES = 64 << 20
MAX_FILE_BYTES = 4 << 30
MAX_POINTER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Pointer:
    """What ``current`` holds: a version and the SHA-256 of its manifest's bytes."""

    version: int
    manifest_sha256: str

    def to_bytes(self) -> bytes:
        """As written to disk."""
        content = {"version": self.version, "manifest_sha256": self.manifest_sha256}
        return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Pointer":
        """Read what `to_bytes` wrote. Raises BrokenModel on anything else."""
        try:
            content = orjson.loads(data)
            pointer = cls(int(content["version"]), str(content["manifest_sha256"]))
            intact = pointer.version > 0 and pointer.to_bytes() == data
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise BrokenModel("its current file is damaged") from error
        if not intact:
            raise BrokenModel("its current file is damaged")
        return pointer


@dataclass(frozen=True, slots=True)
class Opened:
    """A version whose every byte was compared with its manifest."""

    manifest: Manifest
    manifest_sha256: str
    files: Mapping[str, bytes]


class Reader:
    """One models folder. Holds no state but its path: each call looks at the disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """Models that have a version or a current file, sorted. Raises StoreError.

        One whose folder cannot be looked into counts: opening it says what is wrong.
        """
        try:
            with Folder.open(self.root) as root:
                return sorted(name for name in root.names() if is_name(name) and _holds(root, name))
        except OSError as error:
            raise StoreError(f"the models folder cannot be read: {reason(error)}") from error

    def versions(self, name: str) -> list[int]:
        """Numbers of the published versions of a model, rising; empty for an unknown one."""
        try:
            with self._open_model(name) as folder:
                return sorted(v for entry in folder.names() if (v := version_number(entry)))
        except (OSError, BrokenModel):
            return []

    def current(self, name: str) -> Pointer:
        """Which version of a model is current.

        Raises:
            UnknownModel: there is no such model, or none of its versions is current.
            BrokenModel: the file that says so is damaged.
        """
        try:
            with self._open_model(name) as folder:
                return Pointer.from_bytes(folder.read(CURRENT, MAX_POINTER_BYTES))
        except FileNotFoundError:
            raise UnknownModel(f"there is no current version of a model named {name!r}") from None
        except OSError as error:
            raise BrokenModel(f"its current file cannot be read: {reason(error)}") from error

    def labels(self, name: str) -> Labels:
        """What each label of a model stands for.

        Raises:
            UnknownModel: there is no such model.
            BrokenModel: its folder cannot be looked into.
        """
        try:
            with self._open_model(name) as folder:
                return read_labels(folder)
        except FileNotFoundError:
            raise UnknownModel(f"there is no model named {name!r}") from None
        except OSError as error:
            raise BrokenModel(f"its labels cannot be read: {reason(error)}") from error

    def history(self, name: str) -> History:
        """What is written of which versions were current, the oldest first.

        Raises BrokenModel where that is damaged or cannot be read.
        """
        try:
            with self._open_model(name) as folder:
                return read_history(folder)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise BrokenModel(f"its history cannot be read: {reason(error)}") from error

    def previous(self, name: str) -> int | None:
        """The version that a rollback would make current; None if there is none.

        Raises:
            UnknownModel: no version is current.
            BrokenModel: it is not known which one is, or which ones were.
        """
        current = self.current(name).version
        left = gone_back(self.history(name), current, self.versions(name))
        return left[-1] if left else None

    def fingerprint(self, name: str, version: int) -> tuple[tuple[str | int, ...], ...]:
        """Differs when a file of a version may have changed; reads none of them."""
        try:
            with self._open_model(name) as model, model.folder(str(version)) as folder:
                return tuple((entry, *folder.identity(entry)) for entry in sorted(folder.names()))
        except (OSError, BrokenModel):
            return ()

    def default(self) -> str | None:
        """The name that the ``default`` file holds; None without a readable one."""
        try:
            with Folder.open(self.root) as root:
                text = root.read(DEFAULT, MAX_POINTER_BYTES).decode("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return text if is_name(text) else None

    def open(self, name: str, version: int) -> Opened:
        """Read a version and compare every byte of it with its manifest.

        Raises:
            UnknownModel: there is no such version.
            BrokenModel: anything of it is missing, changed, not a regular file, or too large.
        """
        try:
            with self._open_model(name) as model, model.folder(str(version)) as folder:
                return _read_version(folder, name, version)
        except FileNotFoundError:
            raise UnknownModel(f"there is no version {version} of a model named {name!r}") from None
        except OSError as error:
            raise BrokenModel(f"its folder cannot be opened: {reason(error)}") from error

    def _open_model(self, name: str) -> Folder:
        """Open a model's folder. Raises FileNotFoundError, BrokenModel for all else that fails."""
        check_name(name)
        try:
            with Folder.open(self.root) as root:
                return root.folder(name)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise BrokenModel(f"its folder cannot be opened: {reason(error)}") from error


def reason(error: OSError) -> str:
    """What the system says of an error, without the path."""
    if error.errno == errno.ELOOP:
        return "it is a link"
    return error.strerror or type(error).__name__


def _holds(root: Folder, name: str) -> bool:
    try:
        with root.folder(name) as folder:
            return any(entry == CURRENT or version_number(entry) for entry in folder.names())
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # no permission, no descriptors left, a failing disk, a link: not gone
        return True


def _read_version(folder: Folder, name: str, version: int) -> Opened:
    try:
        data = folder.read(MANIFEST, MAX_MANIFEST_BYTES)
    except OSError as error:
        raise BrokenModel(f"its manifest cannot be read: {reason(error)}") from error
    manifest = Manifest.from_bytes(data)
    if (manifest.name, manifest.version) != (name, version):
        raise BrokenModel(
            f"its manifest is that of {manifest.name}/{manifest.version}: the folder was moved"
        )
    files = {file: _read_file(folder, file, digest) for file, digest in manifest.files.items()}
    for entry in folder.names():
        if entry != MANIFEST and entry not in files:
            raise BrokenModel(f"its folder holds {entry!a}, which its manifest does not list")
    return Opened(manifest, Digest.of(data).sha256, files)


def _read_file(folder: Folder, file: str, digest: Digest) -> bytes:
    if os.path.basename(file) != file or file in ("", ".", "..", MANIFEST) or "\0" in file:
        raise BrokenModel("its manifest lists a file that is not in its folder")
    if digest.size > MAX_FILE_BYTES:
        raise BrokenModel(f"its {file} has more than {MAX_FILE_BYTES} bytes")
    try:
        data = folder.read(file, digest.size)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise BrokenModel(f"its {file} is longer than its manifest says") from error
        raise BrokenModel(f"its {file} cannot be read: {reason(error)}") from error
    if Digest.of(data) != digest:
        raise BrokenModel(f"its {file} does not match the digest in its manifest")
    return data
