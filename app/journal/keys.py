"""The pair of keys of a prediction log: X25519, in PEM files as openssl writes them.

The library takes 70 ms and 12 MB to import, so it is imported only where there is such a log.
"""

import hashlib
from pathlib import Path
from typing import Any, Protocol

from app.errors import ConfigError
from app.keyfiles import beside, private_key, public_key, read_key_file, write_pair

PUBLIC_SUFFIX = ".pub"
ID_BYTES = 8

_REMEDY = "make a pair with `flask --app wsgi predictions keys new`"


class PublicKey(Protocol):
    """The library's public key, as far as it matters here."""

    def public_bytes_raw(self) -> bytes:
        """Its 32 bytes."""


def key_id(public: PublicKey) -> bytes:
    """What a public key is called: the first 8 bytes of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(public.public_bytes_raw()).digest()[:ID_BYTES]


def read_public(path: Path) -> PublicKey:
    """The public key in a file. Raises ConfigError."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import (  # noqa: PLC0415 - see above
        X25519PublicKey,
    )

    text = read_key_file(path)
    if b"PRIVATE KEY" in text:
        raise ConfigError(f"{path} holds a private key: what serves needs the public one alone")
    try:
        found = public_key(text)
    except ValueError as error:
        raise ConfigError(f"{path} holds no public key in PEM: {_REMEDY}") from error
    if not isinstance(found, X25519PublicKey):
        raise ConfigError(f"{path} holds a public key that is none of X25519: {_REMEDY}")
    return found


def read_private(path: Path) -> Any:
    """The private key in a file. Raises ConfigError."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import (  # noqa: PLC0415 - see above
        X25519PrivateKey,
    )

    try:
        found = private_key(read_key_file(path))
    except (ValueError, TypeError):  # not theirs as a cause: its text is not ours to show
        found = None
    if not isinstance(found, X25519PrivateKey):
        raise ConfigError(f"{path} holds no private key of X25519 without a passphrase: {_REMEDY}")
    return found


def make_pair(private: Path) -> tuple[str, Path]:
    """Write a new pair of keys to a file of its owner's alone and to another beside it.

    Returns:
        The id of the pair, in hex digits, and the file of its public key.

    Raises:
        ConfigError: one of the files exists already, or cannot be written.
    """
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric.x25519 import (  # noqa: PLC0415 - see above
        X25519PrivateKey,
    )

    pem, public = serialization.Encoding.PEM, beside(private, PUBLIC_SUFFIX)
    key = X25519PrivateKey.generate()
    plain, no_passphrase = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret = key.private_bytes(pem, plain, no_passphrase)
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    write_pair(private, secret, public, key.public_key().public_bytes(pem, info))
    return key_id(key.public_key()).hex(), public
