"""Looking after versions: make one current, go back, label, and let go of old ones."""

from collections.abc import Collection

from app.errors import BrokenModel, StoreError, UnknownModel
from app.files import replace, sync_folder
from app.manifest import Digest, Manifest
from app.store.folders import take_away
from app.store.history import HISTORY, gone_back, to_bytes
from app.store.labels import Label, check_label, file_of
from app.store.writing import Store


class Keeper(Store):
    """The models folder with all that is done to versions after they were published.

    What is made current or labelled is read in full and compared with its manifest before.
    """

    def activate(self, name: str, version: int) -> int | None:
        """Make a version current, whatever its number.

        Returns:
            The version that was current before, None where that is not known.

        Raises:
            StoreError: there is no such version, it is broken, or nothing can be written.
        """
        self._must_have(name, version)
        with self._writing(), self._alone_in(name) as folder:
            before = self._current_or_none(name)
            self._make_current(folder, self._good(name, version))
        return before

    def rollback(self, name: str) -> tuple[int, int]:
        """Make current what was current before the current version became it.

        Each call goes one step further back through what was current; what was rolled back from is
        not returned to, which `activate` does. Versions removed since are passed over.

        Returns:
            The version that is current now, and the one that was.

        Raises:
            StoreError: it is not known what was before, that is broken, or nothing can be written.
        """
        with self._writing(), self._alone_in(name) as folder:
            try:
                current = self.current(name).version
                left = gone_back(self.history(name), current, self.versions(name))
            except (BrokenModel, UnknownModel) as error:
                raise StoreError(_unknown_before(name, error.message)) from error
            if left is None:
                raise StoreError(_unknown_before(name, "no other version was current before"))
            self._point(folder, self._good(name, left[-1]))
            replace(folder / HISTORY, to_bytes(left))
        return left[-1], current

    def set_label(self, name: str, label: str, version: int) -> int | None:
        """Let a label stand for a version.

        Returns:
            The version that it stood for before, None where that is not known.

        Raises:
            StoreError: it is no label, there is no such version, that is broken, or nothing can be
                written.
        """
        check_label(label)
        self._must_have(name, version)
        with self._writing(), self._alone_in(name) as folder:
            before = self._labels(name).get(label)
            sha256 = Digest.of(self._good(name, version).to_bytes()).sha256
            replace(folder / file_of(label), Label(label, version, sha256).to_bytes())
        return before.version if isinstance(before, Label) else None

    def remove_label(self, name: str, label: str) -> None:
        """Let a label stand for nothing. Raises StoreError when there is none of this name."""
        check_label(label)
        with self._writing(), self._alone_in(name) as folder:
            if label not in self._labels(name):
                raise StoreError(f"{name} has no label {label!r}")
            (folder / file_of(label)).unlink()
            sync_folder(folder)

    def prune(self, name: str, keep: int, spare: int | None = None) -> list[int]:
        """Remove all but the `keep` newest versions, and those that are needed.

        Needed are the current one, those with a label and the one that a rollback would return to,
        and the one to `spare`, which may be a candidate that nothing names.

        Returns:
            The versions that were removed. Their numbers are never given again.

        Raises:
            StoreError: it is not known which versions are needed, or nothing can be written.
        """
        with self._writing(), self._alone_in(name) as folder:
            versions = self.versions(name)
            needed = {spare, *self._needed(name, versions)}
            removed = [version for version in versions[:-keep] if version not in needed]
            for version in removed:
                take_away(folder, version)
        return removed

    def _needed(self, name: str, versions: Collection[int]) -> set[int]:
        """The versions that must stay. Raises StoreError where a file that tells is damaged."""
        try:
            current = self.current(name).version
            needed = {current, *(gone_back(self.history(name), current, versions) or ())[-1:]}
            for found in self._labels(name).values():
                if isinstance(found, BrokenModel):
                    raise found
                needed.add(found.version)
        except (BrokenModel, UnknownModel) as error:
            raise StoreError(
                f"no version of {name} is removed, because it is not known which are needed: "
                f"{error.message}"
            ) from error
        return needed

    def _good(self, name: str, version: int) -> Manifest:
        """The manifest of a version that is whole. Raises StoreError."""
        try:
            return self.open(name, version).manifest
        except (BrokenModel, UnknownModel) as error:
            raise StoreError(f"{name}/{version} cannot be used: {error.message}") from error


def _unknown_before(name: str, why: str) -> str:
    return f"{name} cannot be rolled back: {why}; choose with `models activate {name}/VERSION`"
