"""Files that hold keys: read whole, never overwritten; and the keys in them, by one library.

The library takes 70 ms and 12 MB to import, so it is imported only where there is a key.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from app.errors import ConfigError

OWNER_ONLY, EVERYBODY = 0o600, 0o644
"""Modes of a private and of a public key's file."""

_MAX_BYTES = 1 << 20


@contextmanager
def named_by(variable: str) -> Iterator[None]:
    """Have what is wrong with a file begin with the setting that names it. Raises ConfigError."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{variable}: {error.message}") from error


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
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
        except BaseException:  # a part of a key would stand in the way of a whole one
            with suppress(OSError):
                path.unlink()
            raise
    except FileExistsError:
        raise ConfigError(f"{path} exists already, and keys are never overwritten") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error


def beside(private: Path, suffix: str) -> Path:
    """Where the public key of a new pair goes. Raises ConfigError where there is something."""
    if not private.name:
        raise ConfigError("name the file of the private key")
    public = private.with_suffix(suffix)
    if os.path.lexists(public) or public == private:
        raise ConfigError(f"{public} exists already or is the name of both: choose another name")
    return public


def write_pair(private: Path, secret: bytes, public: Path, known: bytes) -> None:
    """Write a private key to a file of its owner's alone and the public one to another, or neither.

    A certificate is as good as a public key.

    Raises:
        ConfigError: one of the files exists already, or cannot be written.
    """
    write_key_file(private, secret, OWNER_ONLY)
    try:
        write_key_file(public, known, EVERYBODY)
    except BaseException:  # a second try must not find the half of a pair in its way
        with suppress(OSError):
            private.unlink()
        raise


def public_key(pem: bytes) -> Any:
    """The public key in a text, of whatever kind. Raises ValueError where none can be read."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see above

    with _told():
        return serialization.load_pem_public_key(pem)


def private_key(pem: bytes, password: bytes | None = None) -> Any:
    """The private key in a text, of whatever kind.

    Raises:
        ValueError: none can be read, or it needs another password.
        TypeError: it needs a password and none is given, or the other way round.
    """
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see above

    with _told():
        return serialization.load_pem_private_key(pem, password)


@contextmanager
def _told() -> Iterator[None]:
    """Have all that the library says of a key that cannot be read be a ValueError."""
    from cryptography.exceptions import (  # noqa: PLC0415 - see above
        InternalError,
        UnsupportedAlgorithm,
    )

    try:
        yield
    except (UnsupportedAlgorithm, InternalError) as error:
        raise ValueError(
            "of an unknown kind, or of a length that its kind does not have"
        ) from error
