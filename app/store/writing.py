"""Writing to the models folder: publish, remove, choose the default."""

import errno
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Literal

from app.errors import BrokenModel, Overtaken, StoreError, UnknownModel
from app.files import sync_folder, temporary_name, write_new
from app.manifest import Description, Digest, Manifest
from app.store.folders import (
    discard,
    keep_last,
    next_version,
    refuse_link,
    take_away,
    take_number,
    why_kept,
)
from app.store.labels import take_labels
from app.store.names import check_name
from app.store.pointer import CURRENT
from app.store.writer import Writer


class Store(Writer):
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
        instead_of: int | Literal["any"] | None = "any",
        prove: Callable[[str, int], object] | None = None,
    ) -> Manifest:
        """Make a new version of a model and make it current; the first model becomes the default.

        Without `make_current` it becomes a candidate: what is current stays so. Where nothing is,
        it is made current all the same, as there is nothing that it could stand behind.

        Args:
            name: of the model.
            description, files: of the version.
            make_current: whether it is to be.
            instead_of: the version that must be current now, None for none that can be told.
            prove: given the name and the number before it counts; may raise BrokenModel.

        Returns:
            The manifest with the number that the version got.

        Raises:
            Overtaken: another version is current; nothing was written.
            StoreError: it could not be written, not be read back, or would be refused. What was
                current still is, unless all that failed was to bring the last renaming to disk.
        """
        self.keys.check_signer()
        with self._writing(), self._new_folder(check_name(name)) as folder:
            if instead_of not in ("any", self._current_or_none(name)):
                raise Overtaken(f"another version of {name} became current meanwhile")
            manifest = self._add(folder, name, description, files)
            try:
                sync_folder(folder)
                self._read_back(manifest, prove)
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

    def _read_back(self, manifest: Manifest, prove: Callable[[str, int], object] | None) -> None:
        """What cannot be opened, or not be used, must not become current. Raises StoreError."""
        what = "be read back"
        try:
            self.open(manifest.name, manifest.version)
            if prove is not None:
                what = "be used"
                prove(manifest.name, manifest.version)
        except (BrokenModel, UnknownModel) as error:
            raise StoreError(
                f"what was written to {self.root} cannot {what}: {error.message}"
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
