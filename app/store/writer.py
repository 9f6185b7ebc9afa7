"""What all writing to the models folder has in common: locks, errors, and what is current."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import BrokenModel, StoreError, UnknownModel
from app.files import locked, reason, replace, sync_folder
from app.manifest import Digest, Manifest
from app.store.folders import clear, refuse_link, so_far
from app.store.history import HISTORY, to_bytes
from app.store.labels import Labels
from app.store.pointer import CURRENT, next_pointer
from app.store.reading import DEFAULT, Reader

LOCK_SECONDS = 60.0

_FULL, _WRITABLE = "make room on its disk", "make it writable for this user"
_REMEDIES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _WRITABLE,
    errno.EPERM: _WRITABLE,
    errno.EROFS: _WRITABLE,
}


class Writer(Reader):
    """The models folder as it is written to: by one process at a time, with errors that say why."""

    @contextmanager
    def _writing(self, so_far: str = "") -> Iterator[None]:
        """Turn what the system says into one sentence with a remedy."""
        try:
            yield
        except TimeoutError as error:
            raise StoreError(f"{so_far}cannot write to {self.root}: {error}; try again") from error
        except OSError as error:
            remedy = _REMEDIES.get(error.errno or 0, "see what is wrong there")
            raise StoreError(
                f"{so_far}cannot write to {self.root}: {reason(error)}; "
                f"{remedy}, or choose another models folder"
            ) from error

    @contextmanager
    def _new_folder(self, name: str) -> Iterator[Path]:
        """A model's folder, made when absent, with no other process writing to it."""
        refuse_link(self.root / name)
        absent, place = [], self.root / name
        while not place.exists():
            absent.append(place)
            place = place.parent
        (self.root / name).mkdir(parents=True, exist_ok=True)
        for place in absent:
            sync_folder(place.parent)
        with self._alone_in(name) as folder:
            yield folder

    @contextmanager
    def _alone_in(self, name: str) -> Iterator[Path]:
        """A model's folder, cleared of rubbish, with no other process writing to it."""
        folder = self.root / name
        with locked(folder, LOCK_SECONDS) as alone:
            if alone:
                clear(folder)
            yield folder

    def _choose_default(self, name: str, *, always: bool) -> None:
        with locked(self.root, LOCK_SECONDS) as alone:
            if alone:
                clear(self.root)
            if always or not os.path.lexists(self.root / DEFAULT):
                replace(self.root / DEFAULT, f"{name}\n".encode("ascii"))

    def _must_have(self, name: str, version: int) -> None:
        if version not in self.versions(name):
            raise StoreError(f"there is no version {version} of a model named {name!r}")

    def _labels(self, name: str) -> Labels:
        try:
            return self.labels(name)
        except (BrokenModel, UnknownModel) as error:
            raise StoreError(f"{name} is left as it is: {error.message}") from error

    def _current_or_none(self, name: str) -> int | None:
        try:
            return self.current(name).version
        except (UnknownModel, BrokenModel):
            return None

    def _make_current(self, folder: Path, manifest: Manifest) -> None:
        """Write down what led here, then point: dying between the two changes nothing."""
        self.keys.check_signer()
        history = so_far(self, manifest.name)
        if history[-1:] != (manifest.version,):
            history = (*history, manifest.version)
        replace(folder / HISTORY, to_bytes(history))
        self._point(folder, manifest)

    def _point(self, folder: Path, manifest: Manifest) -> None:
        sha256 = Digest.of(manifest.to_bytes()).sha256
        pointer = next_pointer(self.keys, folder, manifest.version, sha256)
        replace(folder / CURRENT, pointer.to_bytes())
