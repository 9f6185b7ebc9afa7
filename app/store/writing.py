"""Writing to the models folder: publish, remove, choose the default."""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

from app.errors import BrokenModel, StoreError, UnknownModel
from app.files import locked, reason, replace, sync_folder, temporary_name, write_new
from app.manifest import Description, Digest, Manifest
from app.store.folders import (
    clear,
    discard,
    keep_last,
    next_version,
    refuse_link,
    so_far,
    take_away,
    take_number,
    why_kept,
)
from app.store.history import HISTORY, to_bytes
from app.store.labels import Labels, take_labels
from app.store.names import check_name
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


class Store(Reader):
    """The models folder with all that can be done to it."""

    def check_writable(self, name: str) -> None:
        """Tell before the work whether a publish could succeed. Raises StoreError."""
        self.keys.check_signer()
        place = self.root / check_name(name)
        refuse_link(place)
        while not os.path.lexists(place) and place.parent != place:
            place = place.parent
        with self._writing():
            if not place.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            if not os.access(place, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def publish(
        self,
        name: str,
        description: Description,
        files: Mapping[str, bytes],
        *,
        make_current: bool = True,
    ) -> Manifest:
        """Make a new version of a model and make it current; the first model becomes the default.

        Without `make_current` it becomes a candidate: what is current stays so. Where nothing is,
        it is made current all the same, as there is nothing that it could stand behind.

        Returns:
            The manifest with the number that the version got.

        Raises:
            StoreError: it could not be written, or not be read back. What was current still is,
                unless all that failed was to bring the last renaming to disk.
        """
        self.keys.check_signer()
        with self._writing(), self._new_folder(check_name(name)) as folder:
            manifest = self._add(folder, name, description, files)
            try:
                sync_folder(folder)
                self._read_back(manifest)
                if make_current or not os.path.lexists(folder / CURRENT):
                    self._make_current(folder, manifest)
            except BaseException:
                self._withdraw(folder, manifest)
                raise
        with self._writing(f"version {manifest.version} of {name} is published, but "):
            self._choose_default(name, always=False)
        return manifest

    def set_default(self, name: str) -> None:
        """Make a model the one that is answered at /predict. Raises StoreError."""
        if check_name(name) not in self.names():
            raise StoreError(f"there is no model named {name!r}")
        with self._writing():
            self._choose_default(name, always=True)

    def remove(self, name: str, version: int, *, force: bool = False) -> int | None:
        """Remove a version; its number is never given again.

        Returns:
            The version that is current afterwards, None when the model is gone altogether.

        Raises:
            StoreError: there is no such version, or it is current or labelled and `force` is off.
        """
        self._must_have(name, version)
        with self._writing(), self._alone_in(name) as folder:
            self._must_have(name, version)  # another process can have been faster
            current = self._current_or_none(name)
            take_labels(folder, self._labels(name), version, force=force)
            if current in (version, None):
                if not force:
                    raise StoreError(why_kept(name, version, current))
                current = self._point_elsewhere(folder, name, version)
            keep_last(folder, version)
            take_away(folder, version)
            return current

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

    def _add(
        self, folder: Path, name: str, description: Description, files: Mapping[str, bytes]
    ) -> Manifest:
        """Write a version that nothing names yet."""
        digests = {file: Digest.of(data) for file, data in files.items()}
        created = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        building = folder / temporary_name()

        def manifest_for(version: int) -> Manifest:
            return Manifest(name, version, created, description, digests)

        try:
            building.mkdir()
            for file, data in files.items():
                write_new(building / file, data)
            return take_number(building, next_version(folder), manifest_for, self.keys)
        except BaseException:
            discard(building)
            raise

    def _read_back(self, manifest: Manifest) -> None:
        """What cannot be opened must not become current. Raises StoreError."""
        try:
            self.open(manifest.name, manifest.version)
        except (BrokenModel, UnknownModel) as error:
            raise StoreError(
                f"what was written to {self.root} cannot be read back: {error.message}"
            ) from error

    def _withdraw(self, folder: Path, manifest: Manifest) -> None:
        """Take a version back, unless it became current, or may have, before the disk failed."""
        try:
            named = self.current(manifest.name).version
        except UnknownModel:
            named = None
        except BrokenModel:
            return
        if named != manifest.version:
            with suppress(OSError):
                take_away(folder, manifest.version)

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

    def _point_elsewhere(self, folder: Path, name: str, version: int) -> int | None:
        others = [each for each in self.versions(name) if each != version]
        for candidate, other in product((False, True), reversed(others)):
            with suppress(BrokenModel, UnknownModel):
                manifest = self.open(name, other).manifest
                if manifest.description.is_candidate == candidate:
                    self._point(folder, manifest)
                    return other
        (folder / CURRENT).unlink(missing_ok=True)
        return None
