"""What happens inside one model's folder when it is written to: numbers given, rubbish cleared."""

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from app.errors import BrokenModel, StoreError, UnknownModel
from app.files import TEMPORARY, Folder, replace, sync_folder, temporary_name, write_new
from app.manifest import Digest, Manifest
from app.signing import Keys, about_version
from app.store.history import History, settled
from app.store.names import version_number
from app.store.pointer import MAX_POINTER_BYTES
from app.store.reading import MANIFEST, SIGNATURE, Reader

LAST = "last"
"""Holds the highest number of a removed version, so that it is never given again."""

_PASSING = (errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES, errno.ESTALE)
"""Errors of reading that say nothing of what would be read."""


def refuse_link(folder: Path) -> None:
    """Raise StoreError for a folder through which nothing would be served."""
    if folder.is_symlink():
        raise StoreError(f"{folder} is a link, and nothing is served through links: remove it")


def next_version(folder: Path) -> int:
    """The number above all that are there or were removed. Raises OSError."""
    numbers = [v for entry in os.listdir(folder) if (v := version_number(entry))]
    return max([*numbers, _read_last(folder)]) + 1


def take_number(
    building: Path, version: int, manifest_for: Callable[[int], Manifest], keys: Keys
) -> Manifest:
    """Rename a complete folder to the first free number from `version` on, signed if it can be."""
    while True:
        manifest = manifest_for(version)
        write_new(building / MANIFEST, data := manifest.to_bytes())
        if keys.signer is not None:
            statement = about_version(manifest.name, version, Digest.of(data).sha256)
            write_new(building / SIGNATURE, keys.signer.sign(statement).to_bytes())
        sync_folder(building)
        try:
            building.rename(building.parent / str(version))
        except OSError:
            if not (building.parent / str(version)).exists():
                raise
            # Where there are no locks another process can have been faster.
            (building / MANIFEST).unlink()
            (building / SIGNATURE).unlink(missing_ok=True)
            version += 1
            continue
        return manifest


def keep_last(folder: Path, version: int) -> None:
    """Write down the number of a version that is to be removed, if it is the highest."""
    if version + 1 == next_version(folder):
        replace(folder / LAST, f"{version}\n".encode("ascii"))


def why_kept(name: str, version: int, current: int | None) -> str:
    """Why a version is not removed without force: it is current, or may be."""
    if current is None:
        return f"it is not known which version of {name} is current: use --force to remove one"
    return f"version {version} of {name} is the current one: publish another first, or use --force"


def _read_last(folder: Path) -> int:
    try:
        with Folder.open(folder) as opened:
            return version_number(opened.read(LAST, MAX_POINTER_BYTES).decode("ascii").strip()) or 0
    except (FileNotFoundError, UnicodeDecodeError):
        return 0


def so_far(reader: Reader, name: str) -> History:
    """What was current of a model up to now, with what is; what is damaged cannot be known.

    Raises OSError where it may be known after another try.
    """
    try:
        history = reader.history(name)
    except BrokenModel as error:
        _raise_if_passing(error)
        history = ()
    try:
        return settled(history, reader.current(name).version)
    except UnknownModel:
        return ()
    except BrokenModel as error:
        _raise_if_passing(error)
        return history


def _raise_if_passing(error: BrokenModel) -> None:
    if isinstance(error.__cause__, OSError) and error.__cause__.errno in _PASSING:
        raise error.__cause__


def take_away(folder: Path, version: int) -> None:
    """Make a version invisible in one step, then free its room."""
    rubbish = folder / temporary_name()
    (folder / str(version)).rename(rubbish)
    sync_folder(folder)
    discard(rubbish)


def clear(folder: Path) -> None:
    """Take away what a publish that died left; the lock says that none is under way."""
    for entry in os.listdir(folder):
        if entry.startswith(TEMPORARY):
            discard(folder / entry)


def discard(path: Path) -> None:
    """Remove a file or a folder as far as possible; what stays is tried again next time."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
