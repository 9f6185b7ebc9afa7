"""Files of keys: Ed25519 keys in PEM, or one line that names the file."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, x448, x25519

from app.errors import ConfigError
from app.signing.ed25519 import read_signer, read_trusted
from tests.fuzz.places import place

STATEMENT = b"statement"
SIGNATURE_BYTES = 64
_SECRET = bytes(range(32))


def seeds() -> Iterator[bytes]:
    """Keys of this kind and of others, alone and together, in PEM and otherwise."""
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    locked = serialization.BestAvailableEncryption(b"word")
    privates: list[Any] = [
        ed25519.Ed25519PrivateKey.from_private_bytes(_SECRET),
        x25519.X25519PrivateKey.from_private_bytes(_SECRET),
        ed448.Ed448PrivateKey.from_private_bytes(_SECRET + bytes(25)),
        x448.X448PrivateKey.from_private_bytes(_SECRET + bytes(24)),
        ec.derive_private_key(5, ec.SECP256R1()),
    ]
    for private in privates:
        yield private.private_bytes(pem, pkcs8, plain)
        yield private.public_key().public_bytes(pem, info)
    yield privates[0].private_bytes(der, pkcs8, plain)
    yield privates[0].private_bytes(pem, pkcs8, locked)
    yield privates[0].public_key().public_bytes(pem, info) * 2
    yield b"-----BEGIN PUBLIC KEY-----\n\n-----END PUBLIC KEY-----\n"
    # A key of a kind that does not exist.
    yield privates[0].public_key().public_bytes(pem, info).replace(b"MCowBQYDK2Vw", b"MCowBQYDK2V/")


def check(data: bytes) -> None:
    """Take it for the file of a private key, then for that of public ones; use what it holds."""
    file = place("key.pem")
    file.write_bytes(data)
    told = [*_signing(file), *_verifying(file)]
    assert all(str(file) in each for each in told)


def _signing(file: Path) -> Iterator[str]:
    """What is wrong with a private key."""
    try:
        signature = read_signer(file).sign(STATEMENT)
    except ConfigError as error:
        yield error.message
    else:
        assert len(bytes.fromhex(signature.value)) == SIGNATURE_BYTES


def _verifying(file: Path) -> Iterator[str]:
    """What is wrong with public keys."""
    try:
        keys = read_trusted(file)
    except ConfigError as error:
        yield error.message
        return
    for key in keys.values():
        with suppress(InvalidSignature):
            key.verify(bytes(SIGNATURE_BYTES), STATEMENT)
