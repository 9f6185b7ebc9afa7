"""Files that hold keys: read whole, never overwritten."""

import os
from pathlib import Path

from app.errors import ConfigError

OWNER_ONLY, EVERYBODY = 0o600, 0o644
"""Modes of a private and of a public key's file."""

_MAX_BYTES = 1 << 20


def read_key_file(path: Path) -> bytes:
    """What a file holds, up to 1 MiB of it. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


def write_key_file(path: Path, data: bytes, mode: int) -> None:
    """Write a file that must not exist yet, down to the disk. Raises ConfigError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except FileExistsError:
        raise ConfigError(f"{path} exists already, and keys are never overwritten") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
