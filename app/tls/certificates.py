"""What is in the files of TLS, looked at closely enough to say what is wrong with them.

The library takes 70 ms and 12 MB to import, so this module is imported only where there is one.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from app.errors import ConfigError
from app.keyfiles import private_key
from app.tls.files import CERT, CLIENT_CA, CLIENT_CRL, KEY, PASSWORD, Files, Parts, contents

UNREADABLE = (ValueError, UnsupportedAlgorithm, InternalError, x509.InvalidVersion)
"""What the library raises about a certificate, a list or a key; some of it only when that is used.
"""


_NEVER = datetime.max.replace(tzinfo=UTC)
_CURVES = frozenset(("secp256r1", "secp384r1", "secp521r1"))


class Facts(NamedTuple):
    """What is known of a certificate and its key, which belong together.

    Attributes:
        begins: when the certificate does.
        expires: when it ends.
        until: when the first of the lists is due to be replaced.
        warnings: sentences about what is not good at this time, though it can be loaded.
        parts: of the files, as they were looked at.
    """

    begins: datetime
    expires: datetime
    until: datetime
    warnings: tuple[str, ...]
    parts: Parts

    def is_good(self, now: datetime) -> bool:
        """Whether all of it is good at this time."""
        return self.begins <= now < min(self.expires, self.until)


def inspect(files: Files) -> Facts:
    """Look at all of the files. Raises ConfigError, which names the file and the remedy."""
    chain, begins, expires = _check_pair(files)
    now = datetime.now(UTC)
    warnings = list(_untimely(files.cert, begins, expires, now))
    authorities, lists, until = b"", b"", _NEVER
    if files.client_ca is not None:
        authorities = _check_authorities(files.client_ca)
    if files.client_crl is not None:
        lists, until = _check_lists(files.client_crl)
        if until <= now:
            warnings.append(
                f"the list in {files.client_crl} was due to be replaced on {until:%Y-%m-%d}: until "
                "it is, no client's certificate is accepted"
            )
    parts = Parts(chain, authorities, lists)
    return Facts(begins, expires, until, tuple(warnings), parts)


def _untimely(cert: Path, begins: datetime, expires: datetime, now: datetime) -> Iterator[str]:
    if expires <= now:
        yield f"the certificate in {cert} expired on {expires:%Y-%m-%d}: renew it"
    elif now < begins:
        moment = f"{begins:%Y-%m-%dT%H:%M:%SZ}"
        yield f"the certificate in {cert} is good from {moment} on: wait, or set the clock"


def _check_pair(files: Files) -> tuple[bytes, datetime, datetime]:
    """The certificate with those of its issuers, and when it begins and expires."""
    try:
        found = x509.load_pem_x509_certificates(contents(files.cert, CERT))
        certified = found[0].public_key()
        begins, expires = found[0].not_valid_before_utc, found[0].not_valid_after_utc
    except UNREADABLE as error:
        raise ConfigError(
            f"{CERT} names {files.cert}, which holds no certificate in PEM, or one that cannot be "
            "read: it must begin with that of this service, and those of its issuers follow"
        ) from error
    text = contents(files.key, KEY)
    password = files.password.reveal().encode() if files.password else None
    try:
        key = private_key(text, password)
    except TypeError as error:  # a password and no need for it, or the other way round
        raise ConfigError(_about_password(files)) from error
    except UNREADABLE as error:
        if password is not None and b"ENCRYPTED" in text:
            raise ConfigError(f"{PASSWORD} is not the password of {files.key}") from error
        raise ConfigError(
            f"{KEY} names {files.key}, which holds no private key in PEM: "
            "name the file that was made together with the certificate"
        ) from error
    if key.public_key() != certified:
        raise ConfigError(
            f"{KEY} names {files.key}, whose key is not that of the first certificate in "
            f"{files.cert}: name the two that were made together"
        )
    if not _is_spoken(certified):
        raise ConfigError(
            f"{CERT} names {files.cert}, whose key is of a kind that no client could connect by: "
            "have one made for an elliptic curve (P-256, P-384, P-521), Ed25519 or RSA"
        )
    return b"".join(each.public_bytes(Encoding.PEM) for each in found), begins, expires


def _is_spoken(key: object) -> bool:
    """Whether TLS 1.2 or 1.3 has signatures by a key of this kind; OpenSSL loads others as well."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name in _CURVES
    return isinstance(key, rsa.RSAPublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey)


def _about_password(files: Files) -> str:
    if files.password is None:
        return f"{KEY} names {files.key}, which has a password: tell it by {PASSWORD}_FILE"
    return f"{PASSWORD} is set, and {files.key} has no password: unset it"


def _check_authorities(path: Path) -> bytes:
    """All certificates of a file that holds nothing else."""
    text = contents(path, CLIENT_CA)
    try:
        found = x509.load_pem_x509_certificates(text)
        if len(found) != _blocks(text, b"CERTIFICATE", b"X509 CERTIFICATE"):
            raise ValueError
        return b"".join(each.public_bytes(Encoding.DER) for each in found)
    except UNREADABLE as error:
        raise ConfigError(
            f"{CLIENT_CA} names {path}, which holds no certificate in PEM, or one that cannot be "
            "read, or other things as well: name a file of the certificates of the authorities "
            "that sign clients' certificates, and of those alone"
        ) from error


def _check_lists(path: Path) -> tuple[bytes, datetime]:
    """All lists of a file that holds nothing else, and when the first is due to be replaced."""
    end = b"-----END X509 CRL-----"
    text = contents(path, CLIENT_CRL)
    try:
        lists = [x509.load_pem_x509_crl(each + end) for each in text.split(end)[:-1]]
        if len(lists) != _blocks(text, b"X509 CRL"):
            raise ValueError
        until = min(each.next_update_utc or _NEVER for each in lists)
        return b"".join(each.public_bytes(Encoding.PEM) for each in lists), until
    except UNREADABLE as error:
        raise ConfigError(
            f"{CLIENT_CRL} names {path}, which holds no certificate revocation list "
            "in PEM, or other things as well: name a file of such lists alone"
        ) from error


def _blocks(text: bytes, *labels: bytes) -> int:
    """How many blocks of PEM there are. Raises ValueError where one has another label than these.

    OpenSSL takes certificates by more labels than one, and by one of them with other rules.
    """
    begun = text.split(b"-----BEGIN")[1:]
    wanted = tuple(b" " + label + b"-----" for label in labels)
    if not all(each.startswith(wanted) for each in begun):
        raise ValueError
    return len(begun)
