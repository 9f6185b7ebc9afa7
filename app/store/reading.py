"""Reading the models folder. What serves gets only this half, which cannot write."""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.errors import BrokenModel, StoreError, UnknownModel
from app.files import Folder, is_locked, reason
from app.manifest import Digest, Manifest
from app.signing import Keys, Signature, Signed, about_version
from app.store.history import History, gone_back, read_history
from app.store.labels import Labels, read_labels
from app.store.names import check_name, is_name, version_number
from app.store.pointer import CURRENT, MAX_POINTER_BYTES, Pointer

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
DEFAULT = "default"

_NO_FILES = ("", ".", "..", MANIFEST, SIGNATURE)

MAX_MANIFEST_BYTES = 64 << 20
MAX_FILE_BYTES = 4 << 30
MAX_SIGNATURE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Opened:
    """A version whose every byte was compared with its manifest, and what signed that."""

    manifest: Manifest
    manifest_sha256: str
    files: Mapping[str, bytes]
    signed: Signed


class Reader:
    """One models folder. Each call looks at the disk.

    Args:
        root: the folder.
        keys: whose signatures count.
        limit: most bytes of a file that is read.
    """

    def __init__(self, root: Path, keys: Keys | None = None, limit: int = MAX_FILE_BYTES) -> None:
        self.root = root
        self.keys = keys or Keys()
        self.limit = limit

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

    def is_unfinished(self, name: str) -> bool:
        """Whether the first version of a model is being published at this moment."""
        return not os.path.lexists(self.root / name / CURRENT) and is_locked(self.root / name)

    def current(self, name: str) -> Pointer:
        """Which version of a model is current.

        Raises:
            UnknownModel: there is no such model, or none of its versions is current.
            BrokenModel: the file that says so is damaged, or its signature does not do.
        """
        try:
            with self._open_model(name) as folder:
                pointer = Pointer.from_bytes(folder.read(CURRENT, MAX_POINTER_BYTES))
        except FileNotFoundError:
            raise UnknownModel(f"there is no current version of a model named {name!r}") from None
        except OSError as error:
            raise BrokenModel(f"its current file cannot be read: {reason(error)}") from error
        self.keys.check(pointer.statement(name), pointer.signature, "its current file")
        return pointer

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

        The signature comes first: nothing is parsed, and no other file read, without its word.

        Raises:
            UnknownModel: there is no such version.
            BrokenModel: anything of it is missing, changed, not a regular file, or too large, or
                its signature does not do.
        """
        with self._open_version(name, version) as folder:
            manifest, sha256, signed = self._read_manifest(folder, name, version)
            files = {
                file: _read_file(folder, file, digest, self.limit)
                for file, digest in manifest.files.items()
            }
            for entry in folder.names():
                if entry not in files and entry not in (MANIFEST, SIGNATURE):
                    raise BrokenModel(
                        f"its folder holds {entry!a}, which its manifest does not list"
                    )
        return Opened(manifest, sha256, files, signed)

    def manifest(self, name: str, version: int) -> Manifest:
        """What a version says of itself, without a look at its files. Raises what `open` does."""
        with self._open_version(name, version) as folder:
            return self._read_manifest(folder, name, version)[0]

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

    @contextmanager
    def _open_version(self, name: str, version: int) -> Iterator[Folder]:
        try:
            with self._open_model(name) as model, model.folder(str(version)) as folder:
                yield folder
        except FileNotFoundError:
            raise UnknownModel(f"there is no version {version} of a model named {name!r}") from None
        except OSError as error:
            raise BrokenModel(f"its folder cannot be opened: {reason(error)}") from error

    def _read_manifest(
        self, folder: Folder, name: str, version: int
    ) -> tuple[Manifest, str, Signed]:
        try:
            data = folder.read(MANIFEST, MAX_MANIFEST_BYTES)
        except OSError as error:
            raise BrokenModel(f"its manifest cannot be read: {reason(error)}") from error
        sha256 = Digest.of(data).sha256
        signed = self.keys.check(about_version(name, version, sha256), _signature(folder))
        manifest = Manifest.from_bytes(data)
        if (manifest.name, manifest.version) != (name, version):
            raise BrokenModel(
                f"its manifest is that of {manifest.name}/{manifest.version}: the folder was moved"
            )
        return manifest, sha256, signed


def _holds(root: Folder, name: str) -> bool:
    try:
        with root.folder(name) as folder:
            return any(entry == CURRENT or version_number(entry) for entry in folder.names())
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # no permission, no descriptors left, a failing disk, a link: not gone
        return True


def _signature(folder: Folder) -> Signature | None:
    try:
        return Signature.from_bytes(folder.read(SIGNATURE, MAX_SIGNATURE_BYTES))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BrokenModel(f"its signature file cannot be read: {reason(error)}") from error


def _read_file(folder: Folder, file: str, digest: Digest, limit: int) -> bytes:
    if os.path.basename(file) != file or file in _NO_FILES or "\0" in file:
        raise BrokenModel("its manifest lists a file that is not in its folder")
    if digest.size > limit:
        raise BrokenModel(
            f"its {file} has more than {limit} bytes, which ORDINATE_MAX_MODEL_BYTES allows"
        )
    try:
        data = folder.read(file, digest.size)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise BrokenModel(f"its {file} is longer than its manifest says") from error
        raise BrokenModel(f"its {file} cannot be read: {reason(error)}") from error
    if Digest.of(data) != digest:
        raise BrokenModel(f"its {file} does not match the digest in its manifest")
    return data
