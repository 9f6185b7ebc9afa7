"""Certificates by keys that are the same in each process, so that a finding stays one."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM
BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 1, 1, tzinfo=UTC)
AUTHORITY, SERVER = (ec.derive_private_key(number, ec.SECP256R1()) for number in (7, 11))


def cert_of(key: Any, issuer: str = "clients") -> bytes:
    """A certificate for a public key, good for decades; an authority's if it issues itself."""
    builder = x509.CertificateBuilder(
        _name(issuer), _name("localhost"), key.public_key(), 12345, BEGIN, END
    )
    authority = x509.BasicConstraints(ca=issuer == "localhost", path_length=None)
    builder = builder.add_extension(authority, critical=True)
    return builder.sign(AUTHORITY, hashes.SHA256()).public_bytes(PEM)


def list_of_revoked() -> bytes:
    """A list with one client on it."""
    revoked = x509.RevokedCertificateBuilder(99, BEGIN).build()
    builder = x509.CertificateRevocationListBuilder(_name("localhost"), BEGIN, END, [], [revoked])
    return builder.sign(AUTHORITY, hashes.SHA256()).public_bytes(PEM)


def text_of(key: Any) -> bytes:
    """A private key in PEM."""
    plain = serialization.NoEncryption()
    return bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, plain))


def odd_keys() -> Iterator[Any]:
    """Keys of all kinds that certificates are made for, whether or not TLS speaks by them."""
    curves = (ec.SECP384R1(), ec.SECP224R1(), ec.SECP256K1(), ec.BrainpoolP256R1())
    for curve in curves:
        yield ec.derive_private_key(5, curve)
    yield ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    yield x25519.X25519PrivateKey.from_private_bytes(bytes(32))


def armoured(label: str, content: bytes) -> bytes:
    """Any bytes as PEM."""
    return ssl.DER_cert_to_PEM_cert(content).replace("CERTIFICATE", label).encode()


def content_of(text: bytes) -> bytes:
    """What is in the first block of PEM, of any label."""
    _, _, inner = text.decode().partition("-----\n")
    lines = inner.partition("\n-----")[0]
    return ssl.PEM_cert_to_DER_cert("\n".join((ssl.PEM_HEADER, lines, ssl.PEM_FOOTER)))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
