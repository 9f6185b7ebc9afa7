"""Clearing what can be explained: what a writer that died left, and what points to nothing."""

import os
from pathlib import Path

from app.files import TEMPORARY, locked, sync_folder
from app.store.folders import discard
from app.store.labels import Label, file_of
from app.store.names import is_name
from app.store.reading import DEFAULT
from app.store.writer import LOCK_SECONDS
from app.store.writing import Store


class Repair(Store):
    """The models folder in the hands of who clears it up.

    Touched is only what is surely of no use: names that nothing reads, left by a writer that died;
    labels that are whole and name a version that is gone; a default that names no model where there
    is but one. Whatever is damaged stays as it is, because what it said cannot be known.
    """

    def repair(self, name: str | None = None) -> list[str]:
        """Repair one model, or all and what stands beside them.

        Returns:
            A sentence for each thing that was done.

        Raises:
            StoreError: it cannot be written to, or another process is writing all the time.
        """
        folders = self._folders() if name is None else [name]
        done = [said for each in folders for said in self._clear(self.root / each, each)]
        for each in sorted({*folders} & {*self.names()}):
            done += self._unlabel(each)
        if name is None:
            done += self._clear(self.root, None)
            done += self._choose_only()
        return done

    def _folders(self) -> list[str]:
        """Folders that a model has, or would have had if its first publish had ended."""
        with self._writing():
            entries = sorted(filter(is_name, os.listdir(self.root)))
        return [each for each in entries if _is_folder(self.root / each)]

    def _clear(self, place: Path, name: str | None) -> list[str]:
        shown = "" if name is None else f"{name}/"
        with self._writing(), locked(place, LOCK_SECONDS) as alone:
            # Without a lock, what looks like rubbish may be a publish that is under way.
            rubbish = sorted(e for e in os.listdir(place) if e.startswith(TEMPORARY) and alone)
            for entry in rubbish:
                discard(place / entry)
            done = [f"removed {shown}{each}, left by a writer that died" for each in rubbish]
            if name and rubbish and not os.listdir(place):
                place.rmdir()
                sync_folder(self.root)
                done.append(f"removed {name}, whose first publish did not come to its end")
        return done

    def _unlabel(self, name: str) -> list[str]:
        """Remove the labels of versions that are gone."""
        done = []
        with self._writing(), locked(self.root / name, LOCK_SECONDS):
            for label, found in self._labels(name).items():
                folder = self.root / name
                if isinstance(found, Label) and not os.path.lexists(folder / str(found.version)):
                    (folder / file_of(label)).unlink()
                    sync_folder(folder)
                    gone = f"there is no {name}/{found.version}"
                    done.append(f"removed the label {label} of {name}: {gone}")
        return done

    def _choose_only(self) -> list[str]:
        """Make the only model the default where a default is named that does not exist."""
        names, place = self.names(), self.root / DEFAULT
        if len(names) != 1 or self.default() in names or not place.is_file() or place.is_symlink():
            return []
        self.set_default(names[0])
        return [f"made {names[0]} the default model: the one that was named does not exist"]


def _is_folder(place: Path) -> bool:
    return place.is_dir() and not place.is_symlink()
