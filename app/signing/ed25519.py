"""Ed25519: pairs of keys, their files, and the one library that computes with them.

The library takes 70 ms and 12 MB to import, so it is imported only where there is a key.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from app.errors import ConfigError
from app.keyfiles import beside, private_key, public_key, read_key_file, write_pair
from app.signing.statements import Signature

PUBLIC_SUFFIX = ".pub"

_PUBLIC = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)


class PublicKey(Protocol):
    """The library's public key, as far as it matters here."""

    def verify(self, signature: bytes, data: bytes, /) -> None:
        """Raise an error unless this is the signature of these data."""

    def public_bytes_raw(self) -> bytes:
        """Its 32 bytes."""


class Signer:
    """A private key. Its representation shows the id only."""

    def __init__(self, private: Any) -> None:
        self._private = private
        self.public: PublicKey = private.public_key()
        self.key = key_id(self.public)

    def __repr__(self) -> str:
        return f"<Signer {self.key}>"

    def sign(self, statement: bytes) -> Signature:
        """The signature of a statement."""
        return Signature(self.key, self._private.sign(statement).hex())


def is_signature(public: PublicKey, statement: bytes, signature: Signature) -> bool:
    """Whether this key has signed this statement."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - see above

    try:
        public.verify(bytes.fromhex(signature.value), statement)
    except InvalidSignature:
        return False
    return True


def key_id(public: PublicKey) -> str:
    """What a public key is called: the first 16 hex digits of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def read_signer(path: Path) -> Signer:
    """The private key in a file. Raises ConfigError."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - see above
        Ed25519PrivateKey,
    )

    try:
        private = private_key(read_key_file(path))
        if not isinstance(private, Ed25519PrivateKey):  # others can have the same methods
            raise TypeError(type(private).__name__)
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"{path} holds no private key of Ed25519 without a passphrase: "
            "make one with `flask --app wsgi keys signing new`"
        ) from error
    return Signer(private)


def read_trusted(place: Path | None) -> Mapping[str, PublicKey]:
    """The public keys in a file, or in the files of a folder that end with .pub, by id.

    Raises:
        ConfigError: there is none, something else is among them, or a file cannot be read.
    """
    if place is None:
        return {}
    files = sorted(place.glob(f"*{PUBLIC_SUFFIX}")) if place.is_dir() else [place]
    keys = {key_id(key): key for path in files for key in _publics(path)}
    if not keys:
        raise ConfigError(f"{place} holds no file that ends with {PUBLIC_SUFFIX}")
    return keys


def _publics(path: Path) -> list[PublicKey]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - see above
        Ed25519PublicKey,
    )

    text = read_key_file(path)
    if b"PRIVATE KEY" in text:
        raise ConfigError(f"{path} holds a private key: what serves needs the public one alone")
    try:
        found = [public_key(block) for block in _PUBLIC.findall(text)]
        if not all(isinstance(key, Ed25519PublicKey) for key in found):
            raise TypeError("of another kind")
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path} holds a public key that is none of Ed25519") from error
    if not found:
        raise ConfigError(f"{path} holds no public key in PEM")
    return found


def make_pair(private: Path) -> tuple[Signer, Path]:
    """Write a new pair of keys to a file of its owner's alone and to another beside it.

    Returns:
        The new signer, and the file of its public key.

    Raises:
        ConfigError: one of the files exists already, or cannot be written.
    """
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - see above
        Ed25519PrivateKey,
    )

    pem, public = serialization.Encoding.PEM, beside(private, PUBLIC_SUFFIX)
    key = Ed25519PrivateKey.generate()
    plain, no_passphrase = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret = key.private_bytes(pem, plain, no_passphrase)
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    write_pair(private, secret, public, key.public_key().public_bytes(pem, info))
    return Signer(key), public
