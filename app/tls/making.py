"""Certificates for development: an authority of one's own, and what it signs.

The library takes 70 ms and 12 MB to import, so this module is imported only where one is made.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from app.errors import ConfigError
from app.keyfiles import private_key, write_pair
from app.tls.certificates import UNREADABLE

HOSTS = ("localhost", "127.0.0.1", "::1")

_LEAF_DAYS, _AUTHORITY_DAYS = 365, 3650
_EARLIER = timedelta(hours=1)
"""The clock of another machine may be late."""


@dataclass(frozen=True, slots=True)
class Made:
    """A certificate and its key, in a folder.

    Attributes:
        name: of both files, without their ends.
        folder: that they are in.
        is_new: whether they were made just now.
    """

    name: str
    folder: Path
    is_new: bool = True

    @property
    def cert(self) -> Path:
        """File of the certificate."""
        return self.folder / f"{self.name}.pem"

    @property
    def key(self) -> Path:
        """File of its private key, of its owner's alone."""
        return self.folder / f"{self.name}-key.pem"

    def exists(self) -> bool:
        """Whether both files are there. Raises ConfigError if one is there alone."""
        found = [path for path in (self.cert, self.key) if os.path.lexists(path)]
        if len(found) == 1:
            raise ConfigError(
                f"{found[0]} is there without the file that belongs to it: remove it, or bring "
                "the other back"
            )
        return bool(found)


class Workshop:
    """Makes what is missing in a folder; nothing is ever overwritten.

    Args:
        folder: in which the authority is, or will be.

    Attributes:
        authority: that signs.
        made: what was made or found, in this order.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.authority = Made("ca", folder)
        self.made: list[Made] = []

    def server(self, hosts: Sequence[str] = ()) -> Made:
        """A certificate for this machine, and for further names. Raises ConfigError."""
        server = Made("server", self._folder)
        if hosts and server.exists():
            raise ConfigError(
                f"{server.cert} is there already: remove it and {server.key} to have one made for "
                "other names"
            )
        names = dict.fromkeys([*HOSTS, *hosts])
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        return self._leaf(server, "localhost", ExtendedKeyUsageOID.SERVER_AUTH, alternatives)

    def client(self, name: str) -> Made:
        """A certificate for a client of this name. Raises ConfigError."""
        client = Made(f"client-{name}", self._folder)
        return self._leaf(client, name, ExtendedKeyUsageOID.CLIENT_AUTH)

    def _leaf(
        self, leaf: Made, name: str, purpose: ObjectIdentifier, *more: x509.ExtensionType
    ) -> Made:
        issuer, its_key = self._issuer
        if leaf.exists():
            self.made.append(Made(leaf.name, leaf.folder, is_new=False))
            return leaf
        key = _new_key()
        builder = _builder(_subject(name), issuer.subject, key.public_key(), _LEAF_DAYS)
        known = x509.AuthorityKeyIdentifier.from_issuer_public_key(its_key.public_key())
        for extension in (x509.ExtendedKeyUsage([purpose]), known, *more):
            builder = builder.add_extension(extension, critical=False)
        builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
        self._write(leaf, builder.sign(its_key, hashes.SHA256()), key)
        return leaf

    @cached_property
    def _issuer(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """The certificate of the authority and its key, made if they are not there."""
        if self.authority.exists():
            return self._read_authority()
        key, name = _new_key(), _subject("Ordinate development CA")
        builder = _builder(name, name, key.public_key(), _AUTHORITY_DAYS)
        builder = builder.add_extension(x509.BasicConstraints(True, 0), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        cert = builder.sign(key, hashes.SHA256())
        self._write(self.authority, cert, key)
        return cert, key

    def _read_authority(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        there = self.authority
        self.made.append(Made(there.name, there.folder, is_new=False))
        try:
            cert = x509.load_pem_x509_certificate(there.cert.read_bytes())
            key = private_key(there.key.read_bytes())
            belongs = bool(cert.subject) and key.public_key() == cert.public_key()
        except OSError as error:
            raise ConfigError(f"{error.filename} cannot be read: {error.strerror}") from error
        except (*UNREADABLE, TypeError):
            key, belongs = None, False
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not belongs:
            raise ConfigError(
                f"{there.cert} and {there.key} are no authority that was made here: "
                "name another folder"
            )
        return cert, key

    def _write(self, made: Made, cert: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        pem, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        secret = key.private_bytes(pem, plain, serialization.NoEncryption())
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{error.filename} cannot be written: {error.strerror}") from error
        write_pair(made.key, secret, made.cert, cert.public_bytes(pem))
        self.made.append(made)


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
