"""Writing to the models folder: publish, remove, choose the default."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from app.errors import BrokenModel, StoreError, UnknownModel
from app.files import TEMPORARY, locked, replace, sync_folder, temporary_name, write_new
from app.manifest import Description, Digest, Manifest
from app.store.names import check_name, version_number
from app.store.reading import CURRENT, DEFAULT, MANIFEST, Pointer, Reader, reason

LAST = "last"
"""Holds the highest number of a removed version, so that it is never given again."""

LOCK_SECONDS = 60.0


class Store(Reader):
    """The models folder with all that can be done to it."""

    def check_writable(self, name: str) -> None:
        """Tell before the work whether a publish could succeed. Raises StoreError."""
        place = self.root / check_name(name)
        while not os.path.lexists(place) and place.parent != place:
            place = place.parent
        with self._writing():
            if not place.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            if not os.access(place, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "it is not writable for this user")

    def publish(self, name: str, description: Description, files: Mapping[str, bytes]) -> Manifest:
        """Make a new version of a model and make it current; the first model becomes the default.

        Returns:
            The manifest with the number that the version got.

        Raises:
            StoreError: it could not be written; nothing of it can be seen then.
        """
        with self._writing(), self._model_folder(check_name(name)) as folder:
            manifest = self._publish_version(folder, name, description, files)
            self._point(folder, manifest)
            with locked(self.root, LOCK_SECONDS) as alone:
                if alone:
                    _clear(self.root)
                if not os.path.lexists(self.root / DEFAULT):
                    replace(self.root / DEFAULT, f"{name}\n".encode("ascii"))
            return manifest

    def set_default(self, name: str) -> None:
        """Make a model the one that is answered at /predict. Raises StoreError."""
        if name not in self.names():
            raise StoreError(f"there is no model named {name!r}")
        with self._writing():
            replace(self.root / DEFAULT, f"{name}\n".encode("ascii"))

    def remove(self, name: str, version: int, *, force: bool = False) -> int | None:
        """Remove a version; its number is never given again.

        Returns:
            The version that is current afterwards, None when the model is gone altogether.

        Raises:
            StoreError: there is no such version, or it is the current one and `force` is off.
        """
        if version not in self.versions(name):
            raise StoreError(f"there is no version {version} of a model named {name!r}")
        with self._writing(), self._model_folder(name) as folder:
            current = self._current_or_none(name)
            if version == current and not force:
                raise StoreError(
                    f"version {version} of {name} is the current one: publish another first, "
                    "or use --force"
                )
            if version == current:
                current = self._point_elsewhere(folder, name, version)
            self._keep_last(folder, version)
            rubbish = folder / temporary_name()
            (folder / str(version)).rename(rubbish)
            sync_folder(folder)
            shutil.rmtree(rubbish)
            return current

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn what the system says into one sentence with a remedy."""
        try:
            yield
        except TimeoutError as error:
            raise StoreError(f"cannot write to {self.root}: {error}; try again") from error
        except OSError as error:
            raise StoreError(
                f"cannot write to {self.root}: {reason(error)}; make room or make it writable, "
                "or choose another folder with --models"
            ) from error

    @contextmanager
    def _model_folder(self, name: str) -> Iterator[Path]:
        """A model's folder, locked, made when absent and taken away again when nothing came in."""
        made = [place for place in (self.root, self.root / name) if not place.exists()]
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        for place in made:
            sync_folder(place.parent)
        try:
            with locked(folder, LOCK_SECONDS) as alone:
                if alone:
                    _clear(folder)
                yield folder
        finally:
            for place in reversed(made):
                with suppress(OSError):  # not empty: something was published
                    place.rmdir()

    def _publish_version(
        self, folder: Path, name: str, description: Description, files: Mapping[str, bytes]
    ) -> Manifest:
        digests = {file: Digest.of(data) for file, data in files.items()}
        created = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        building = folder / temporary_name()
        building.mkdir()
        try:
            for file, data in files.items():
                write_new(building / file, data)

            def manifest_for(version: int) -> Manifest:
                return Manifest(name, version, created, description, digests)

            return _take_number(building, self._next_version(folder), manifest_for)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise

    def _next_version(self, folder: Path) -> int:
        numbers = [v for entry in os.listdir(folder) if (v := version_number(entry))]
        return max([*numbers, _read_last(folder)]) + 1

    def _keep_last(self, folder: Path, version: int) -> None:
        if version + 1 == self._next_version(folder):
            replace(folder / LAST, f"{version}\n".encode("ascii"))

    def _current_or_none(self, name: str) -> int | None:
        try:
            return self.current(name).version
        except (UnknownModel, BrokenModel):
            return None

    def _point(self, folder: Path, manifest: Manifest) -> None:
        sha256 = Digest.of(manifest.to_bytes()).sha256
        replace(folder / CURRENT, Pointer(manifest.version, sha256).to_bytes())

    def _point_elsewhere(self, folder: Path, name: str, version: int) -> int | None:
        for other in reversed(self.versions(name)):
            if other == version:
                continue
            with suppress(BrokenModel, UnknownModel):
                self._point(folder, self.open(name, other).manifest)
                return other
        (folder / CURRENT).unlink(missing_ok=True)
        return None


def _take_number(building: Path, version: int, manifest_for: Callable[[int], Manifest]) -> Manifest:
    """Rename a complete folder to the first free number from `version` on."""
    while True:
        manifest = manifest_for(version)
        write_new(building / MANIFEST, manifest.to_bytes())
        sync_folder(building)
        try:
            building.rename(building.parent / str(version))
        except OSError:
            if not (building.parent / str(version)).exists():
                raise
            # Where there are no locks another process can have been faster.
            (building / MANIFEST).unlink()
            version += 1
            continue
        sync_folder(building.parent)
        return manifest


def _read_last(folder: Path) -> int:
    try:
        return version_number((folder / LAST).read_text("ascii").strip()) or 0
    except (FileNotFoundError, UnicodeDecodeError):
        return 0


def _clear(folder: Path) -> None:
    """Take away what a publish that died left; the lock says that none is under way."""
    for entry in os.listdir(folder):
        if entry.startswith(TEMPORARY):
            path = folder / entry
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
