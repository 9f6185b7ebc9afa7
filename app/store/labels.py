"""Labels: names for versions of a model, such as ``canary``, each in a file of its own.

``NAME/label-canary`` holds the label, the version and the SHA-256 of the version's manifest, sealed
by a digest of its own. It is replaced as ``current`` is, so that a reader finds the old or the new.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.errors import BrokenModel, StoreError
from app.files import Folder, sync_folder
from app.store.sealed import MAX_SEALED_BYTES, sealed, unsealed

CANARY, SHADOW = "canary", "shadow"
"""The labels that mean something to the service; every other is a name to ask by."""

_PREFIX = "label-"
_LABEL = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Label:
    """What a label's file holds: which version it stands for, and that version's manifest."""

    label: str
    version: int
    manifest_sha256: str

    def to_bytes(self) -> bytes:
        """As written to disk."""
        return sealed(
            {
                "label": self.label,
                "version": self.version,
                "manifest_sha256": self.manifest_sha256,
            }
        )

    @classmethod
    def from_bytes(cls, label: str, data: bytes) -> "Label":
        """Read what `to_bytes` wrote for this label. Raises BrokenModel on anything else."""
        content = unsealed(data, f"the file of its label {label}")
        version, manifest_sha256 = content.get("version"), content.get("manifest_sha256")
        # Anybody who can write there can seal anything: a text would be part of a path.
        if type(version) is not int or type(manifest_sha256) is not str:
            raise BrokenModel(f"the file of its label {label} is damaged")
        found = cls(content.get("label", ""), version, manifest_sha256)
        if found.label != label:
            raise BrokenModel(f"the file of its label {label} is that of another label")
        return found


Labels = Mapping[str, Label | BrokenModel]
"""By label: what it stands for, or why that is not known."""


def is_label(text: str) -> bool:
    """Whether a label may be called this."""
    return _LABEL.fullmatch(text) is not None


def check_label(text: str) -> str:
    """The label itself. Raises StoreError with the rule when it cannot be one."""
    if not is_label(text):
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
        raise StoreError(
            f"{shown!r} cannot be a label: use a to z, 0 to 9, _ and -, at most 32 of them, "
            "with a letter first"
        )
    return text


def file_of(label: str) -> str:
    """Name of the file of a label."""
    return _PREFIX + label


def read_labels(folder: Folder) -> Labels:
    """All labels of the model in this folder, by name. Raises OSError."""
    names = sorted(entry.removeprefix(_PREFIX) for entry in folder.names() if _names_one(entry))
    return {label: _read(folder, label) for label in names}


def take_labels(folder: Path, labels: Labels, version: int, *, force: bool) -> None:
    """Take the labels of a version away that is to be removed. Raises StoreError, OSError."""
    for label, found in labels.items():
        if isinstance(found, Label) and found.version == version:
            if not force:
                raise StoreError(
                    f"version {version} of {folder.name} is labelled {label}: "
                    "label another version first, or use --force"
                )
            (folder / file_of(label)).unlink()
            sync_folder(folder)


def _names_one(entry: str) -> bool:
    return entry.startswith(_PREFIX) and is_label(entry.removeprefix(_PREFIX))


def _read(folder: Folder, label: str) -> Label | BrokenModel:
    try:
        return Label.from_bytes(label, folder.read(file_of(label), MAX_SEALED_BYTES))
    except BrokenModel as error:
        return error
    except OSError as error:
        why = error.strerror or type(error).__name__
        return BrokenModel(f"the file of its label {label} cannot be read: {why}")
