"""What is in the files of TLS, looked at closely enough to say what is wrong with them.

The library takes 70 ms and 12 MB to import, so this module is imported only where there is one.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from app.errors import ConfigError
from app.keyfiles import private_key
from app.tls.files import CERT, CLIENT_CA, CLIENT_CRL, KEY, PASSWORD, Files, contents

UNREADABLE = (ValueError, UnsupportedAlgorithm, InternalError, x509.InvalidVersion)
"""What the library raises about a certificate, a list or a key; some of it only when that is used.
"""


_CURVES = frozenset(("secp256r1", "secp384r1", "secp521r1"))


class Facts(NamedTuple):
    """What is known of a certificate and its key, which belong together.

    Attributes:
        expires: when the certificate does.
        warnings: sentences about what will not work, though it can be loaded.
    """

    expires: datetime
    warnings: tuple[str, ...]


def inspect(files: Files) -> Facts:
    """Look at all of the files. Raises ConfigError, which names the file and the remedy."""
    expires = _check_pair(files)
    now, warnings = datetime.now(UTC), []
    if expires <= now:
        warnings.append(f"the certificate in {files.cert} expired on {expires:%Y-%m-%d}: renew it")
    if files.client_ca is not None:
        _check_authorities(files)
    if files.client_crl is not None and (until := _check_lists(files)) <= now:
        warnings.append(
            f"the list in {files.client_crl} was due to be replaced on {until:%Y-%m-%d}: until it "
            "is, no client's certificate is accepted"
        )
    return Facts(expires, tuple(warnings))


def _check_pair(files: Files) -> datetime:
    try:
        leaf = x509.load_pem_x509_certificates(contents(files.cert, CERT))[0]
        certified, expires = leaf.public_key(), leaf.not_valid_after_utc
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
    return expires


def _is_spoken(key: object) -> bool:
    """Whether TLS 1.2 or 1.3 has signatures by a key of this kind; OpenSSL loads others as well."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name in _CURVES
    return isinstance(key, rsa.RSAPublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey)


def _about_password(files: Files) -> str:
    if files.password is None:
        return f"{KEY} names {files.key}, which has a password: tell it by {PASSWORD}_FILE"
    return f"{PASSWORD} is set, and {files.key} has no password: unset it"


def _check_authorities(files: Files) -> None:
    assert files.client_ca is not None
    try:
        x509.load_pem_x509_certificates(contents(files.client_ca, CLIENT_CA))
    except UNREADABLE as error:
        raise ConfigError(
            f"{CLIENT_CA} names {files.client_ca}, which holds no certificate in PEM, or one that "
            "cannot be read: name the file of the authority that signs clients' certificates"
        ) from error


def _check_lists(files: Files) -> datetime:
    """When the first of the lists is due to be replaced."""
    assert files.client_crl is not None
    end = b"-----END X509 CRL-----"
    text = contents(files.client_crl, CLIENT_CRL)
    try:
        if b"BEGIN CERTIFICATE" in text:  # it would become an authority
            raise ValueError
        lists = [x509.load_pem_x509_crl(each + end) for each in text.split(end)[:-1]]
        return min(each.next_update_utc or datetime.max.replace(tzinfo=UTC) for each in lists)
    except UNREADABLE as error:
        raise ConfigError(
            f"{CLIENT_CRL} names {files.client_crl}, which holds no certificate revocation list "
            "in PEM, or other things as well: name a file of such lists alone"
        ) from error
