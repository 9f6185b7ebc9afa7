"""Files of TLS: a context that can be used, or one line that names the file.

The first byte says which file the rest is; of a capital letter, the rest is what its PEM holds.
"""

import os
import ssl
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.utils import CryptographyDeprecationWarning

from app.errors import ConfigError
from app.tls.certificates import inspect
from app.tls.files import Files
from app.tls.live import Live
from app.tls.making import Workshop
from tests.fuzz import pems
from tests.fuzz.places import place
from tests.support.issued import (
    AUTHORITY,
    SERVER,
    armoured,
    cert_of,
    content_of,
    list_of_revoked,
    odd_keys,
    text_of,
)

DER = serialization.Encoding.DER


class Role(NamedTuple):
    """What a file is for.

    Attributes:
        name: of the file.
        label: of its PEM.
    """

    name: str
    label: str


ROLES: Mapping[bytes, Role] = {
    b"c": Role("server.pem", "CERTIFICATE"),
    b"k": Role("server-key.pem", "PRIVATE KEY"),
    b"a": Role("clients.pem", "CERTIFICATE"),
    b"r": Role("revoked.pem", "X509 CRL"),
    b"b": Role("both.pem", "CERTIFICATE"),
}
MADE: Mapping[bytes, Role] = {
    b"m": Role("ca.pem", "CERTIFICATE"),
    b"n": Role("ca-key.pem", "PRIVATE KEY"),
}
ALL: Mapping[bytes, Role] = {**ROLES, **MADE}
KNOWN = (
    (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09"),  # version of a certificate
    (b"\x02\x01\x01", b"\x02\x01\x09"),  # of a list, and of a key
    (b"\x2a\x86\x48\xce\x3d\x02\x01", b"\x2a\x86\x48\xce\x3d\x02\x09"),  # kind of a key
    (b"\x03\x42\x00\x04", b"\x03\x42\x00\xff"),  # where a point begins
)
"""What stands in the good files, and what says something unknown in its place."""


def seeds() -> Iterator[bytes]:
    """Each file as any other and as any key, then the good ones with bytes of theirs changed."""
    good = _good()
    others = [cert_of(key) for key in odd_keys()]
    yield from (b"b" + cert_of(key) + text_of(key) for key in odd_keys())
    whole = [*good.values(), *others, good["server.pem"] * 2, b""]
    for letter, role in ALL.items():
        yield from (letter + each for each in whole)
        yield letter + good["clients.pem"] + good["server.pem"]
        yield letter + b"text\n" + good["server.pem"].replace(b"CERT", b"TRUSTED CERT")
        if role.label == "PRIVATE KEY":
            yield from (letter + each for each in pems.seeds())
        yield from (letter.upper() + each for each in _changed(content_of(good[role.name])))


def _changed(content: bytes) -> Iterator[bytes]:
    yield content
    for old, new in KNOWN:
        yield content.replace(old, new, 1)
    for position in range(0, len(content), 37):
        for byte in (content[position] ^ 1, 0xFF):
            yield content[:position] + bytes([byte]) + content[position + 1 :]


def check(data: bytes) -> None:
    """Put it in the place of a good file, of a service that runs or of an authority."""
    with warnings.catch_warnings():  # of a serial number that a later version will refuse
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        _check(data)


def _check(data: bytes) -> None:
    letter, rest = data[:1], data[1:]
    role = ALL.get(letter.lower())
    if role is None:
        return
    if letter.isupper():
        rest = armoured(role.label, rest)
    if letter.lower() in ROLES:
        _serve(role, rest)
    else:
        _make(role, rest)


def _serve(role: Role, text: bytes) -> None:
    """A service takes it over as a whole, or keeps what it has and says why; then so anew."""
    live, files = _lives()[role.name == "both.pem"]
    try:
        _put(role.name, text)
        _take_over(live, files)
    finally:
        _put(role.name, _good()[role.name])
    again = live.look()
    assert again is not None
    assert again.refused is None


def _take_over(live: Live, files: Files) -> None:
    before = live.context
    change = live.look()
    assert change is not None
    refused = change.refused
    if refused is None:
        assert live.context is not before
        _shake_hands(live.context, files)
    else:
        assert live.context is before
        assert refused.isprintable()
        assert str(place("tls")) in refused
    assert all(each.isprintable() for each in change.warnings)
    assert refused is not None or change.expires == inspect(files).expires


def _make(role: Role, text: bytes) -> None:
    """An authority that is there signs, or it is said that it is none."""
    folder = place("authority")
    folder.mkdir(exist_ok=True)
    for each in folder.iterdir():
        each.unlink()
    for name, content in (*_authority().items(), (role.name, text)):
        (folder / name).write_bytes(content)
    told = None
    try:
        made = Workshop(folder).client("alice")
    except ConfigError as error:
        told = error.message
    if told is not None:
        assert told.isprintable()
        assert str(folder) in told
        assert not (folder / "client-alice.pem").exists()
        return
    leaf = x509.load_pem_x509_certificate(made.cert.read_bytes())
    authority = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    assert leaf.issuer == authority.subject
    how = ec.ECDSA(hashes.SHA256())
    AUTHORITY.public_key().verify(leaf.signature, leaf.tbs_certificate_bytes, how)


def _shake_hands(context: ssl.SSLContext, files: Files) -> None:
    """Connect a client that asks for nothing; it is shown the first certificate of the file."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = _anybody().wrap_bio(to_client, to_server, server_hostname="localhost")
    server = context.wrap_bio(to_server, to_client, server_side=True)
    steps: list[Callable[[], None]] = [client.do_handshake, server.do_handshake]
    for _ in range(10):
        for step in steps[:]:
            try:
                step()
            except ssl.SSLWantReadError:
                continue
            steps.remove(step)
    assert not steps, "nobody can connect"
    (first, *_rest) = x509.load_pem_x509_certificates(files.cert.read_bytes())
    assert client.getpeercert(binary_form=True) == first.public_bytes(DER)


def _put(name: str, text: bytes) -> None:
    """Replace a file of the service, so that it is another one however fast that is."""
    temporary = place("tls") / "new"
    temporary.write_bytes(text)
    os.replace(temporary, place("tls") / name)


@cache
def _good() -> Mapping[str, bytes]:
    """The files of a service, and those of an authority."""
    served = {
        "server.pem": cert_of(SERVER),
        "server-key.pem": text_of(SERVER),
        "clients.pem": cert_of(AUTHORITY, "localhost"),
        "revoked.pem": list_of_revoked(),
        "both.pem": cert_of(SERVER) + text_of(SERVER),
    }
    return {**served, **_authority()}


@cache
def _authority() -> Mapping[str, bytes]:
    return {"ca.pem": cert_of(AUTHORITY, "localhost"), "ca-key.pem": text_of(AUTHORITY)}


@cache
def _lives() -> tuple[tuple[Live, Files], tuple[Live, Files]]:
    """A service with four files, and one with a certificate and its key in one."""
    folder = place("tls")
    folder.mkdir()
    for role in ROLES.values():
        _put(role.name, _good()[role.name])
    cert, key, ca, crl, both = (folder / role.name for role in ROLES.values())
    four, one = Files(cert, key, None, "optional", ca, crl), Files(both, both)
    return (Live(four), four), (Live(one), one)


@cache
def _anybody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
