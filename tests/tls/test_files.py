"""Files that TLS cannot be set up from stop the start with one line: which file, and what to do."""

import os
import ssl
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.config import Config
from app.errors import ConfigError
from app.tls import Live
from app.tls.making import Workshop
from tests.support.certificates import PEM, Certificates
from tests.support.issued import armoured, cert_of, content_of, text_of
from tests.support.server import ROOT

Settings = dict[str, str]


@pytest.fixture
def own(tmp_path: Path) -> Certificates:
    """Certificates to be spoilt."""
    return Certificates(tmp_path / "certs")


def lock(own: Certificates, password: str) -> None:
    """Give the server's key a password."""
    key = serialization.load_pem_private_key(own.server.key.read_bytes(), None)
    how = serialization.BestAvailableEncryption(password.encode())
    own.server.key.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, how))


def opened(settings: Settings) -> Live:
    live = Live.of(Config.from_env(settings))
    assert live is not None
    return live


def _missing(own: Certificates) -> Settings:
    own.server.cert.unlink()
    return {}


def _folder(own: Certificates) -> Settings:
    return {"ORDINATE_TLS_KEY": str(own.server.key.parent)}


def _swapped(own: Certificates) -> Settings:
    return {"ORDINATE_TLS_CERT": str(own.server.key)}


def _no_key(own: Certificates) -> Settings:
    own.server.key.write_text("secret")
    return {}


def _other_key(own: Certificates) -> Settings:
    return {"ORDINATE_TLS_KEY": str(own.client("other").key)}


def _locked(own: Certificates) -> Settings:
    lock(own, "open sesame")
    return {}


def _wrongly_opened(own: Certificates) -> Settings:
    lock(own, "open sesame")
    return {"ORDINATE_TLS_KEY_PASSWORD": "hunter2"}


def _needlessly_opened(_own: Certificates) -> Settings:
    return {"ORDINATE_TLS_KEY_PASSWORD": "hunter2"}


def _no_authority(own: Certificates) -> Settings:
    return {"ORDINATE_TLS_CLIENT": "required", "ORDINATE_TLS_CLIENT_CA": str(own.server.key)}


def _no_list(own: Certificates) -> Settings:
    ca = str(own.ca)
    return {
        "ORDINATE_TLS_CLIENT": "required",
        "ORDINATE_TLS_CLIENT_CA": ca,
        "ORDINATE_TLS_CLIENT_CRL": ca,
    }


def _altered(file: Path, label: str, old: str, new: str) -> Settings:
    """Put other bytes of the same length, given in hex, into what a PEM file holds."""
    content = content_of(file.read_bytes())
    assert bytes.fromhex(old) in content
    changed = content.replace(bytes.fromhex(old), bytes.fromhex(new), 1)
    file.write_bytes(armoured(label, changed))
    return {}


def _unknown_key(own: Certificates) -> Settings:
    return _altered(own.server.cert, "CERTIFICATE", "2a8648ce3d0201", "2a8648ce3d0209")


def _impossible_key(own: Certificates) -> Settings:
    return _altered(own.server.cert, "CERTIFICATE", "03420004", "034200ff")


def _unknown_version(own: Certificates) -> Settings:
    return _altered(own.server.cert, "CERTIFICATE", "a003020102", "a003020109")


def _authority_of_unknown_version(own: Certificates) -> Settings:
    _altered(own.ca, "CERTIFICATE", "a003020102", "a003020109")
    return {"ORDINATE_TLS_CLIENT": "required", "ORDINATE_TLS_CLIENT_CA": str(own.ca)}


def _with_list(own: Certificates) -> tuple[Path, Settings]:
    """A list of revoked certificates, and the settings that name it."""
    crl = own.revoke(own.client("former"), own.ca.with_name("crl.pem"))
    named = {"": "required", "_CA": str(own.ca), "_CRL": str(crl)}
    return crl, {f"ORDINATE_TLS_CLIENT{name}": value for name, value in named.items()}


def _stranger(own: Certificates, label: str) -> bytes:
    """An authority that nobody here has heard of, as PEM with this label."""
    other = Certificates(own.ca.parent / "stranger")
    return other.ca.read_bytes().replace(b"CERTIFICATE", label.encode())


def _list_of_unknown_version(own: Certificates) -> Settings:
    crl, settings = _with_list(own)
    _altered(crl, "X509 CRL", "020101", "020109")
    return settings


def _among_lists(label: str) -> Callable[[Certificates], Settings]:
    def spoil(own: Certificates) -> Settings:
        crl, settings = _with_list(own)
        crl.write_bytes(crl.read_bytes() + _stranger(own, label))
        return settings

    return spoil


def _half_a_list(own: Certificates) -> Settings:
    crl, settings = _with_list(own)
    crl.write_bytes(crl.read_bytes() + crl.read_bytes()[:200])
    return settings


def _endless_list(own: Certificates) -> Settings:
    crl, settings = _with_list(own)
    crl.write_bytes(crl.read_bytes() + bytes(4 << 20))
    return settings


def _trusted_authority(own: Certificates) -> Settings:
    _, settings = _with_list(own)
    own.ca.write_bytes(own.ca.read_bytes() + _stranger(own, "TRUSTED CERTIFICATE"))
    return settings


def _list_among_authorities(own: Certificates) -> Settings:
    crl, settings = _with_list(own)
    own.ca.write_bytes(own.ca.read_bytes() + crl.read_bytes())
    return settings


def _key_for_nobody(own: Certificates) -> Settings:
    key = ec.generate_private_key(ec.SECP256K1())
    own.server.cert.write_bytes(cert_of(key))
    own.server.key.write_bytes(text_of(key))
    return {}


SPOILT: dict[str, tuple[Callable[[Certificates], Settings], str]] = {
    "missing": (_missing, "server.pem, which cannot be read: No such file or directory; correct"),
    "a folder": (_folder, "certs, which is not a file: name the file itself"),
    "swapped": (_swapped, "server-key.pem, which holds no certificate in PEM"),
    "no key": (_no_key, "server-key.pem, which holds no private key in PEM"),
    "another key": (_other_key, "whose key is not that of the first certificate in"),
    "locked": (_locked, "which has a password: tell it by ORDINATE_TLS_KEY_PASSWORD_FILE"),
    "wrong password": (_wrongly_opened, "ORDINATE_TLS_KEY_PASSWORD is not the password of"),
    "needless password": (_needlessly_opened, "has no password: unset it"),
    "no authority": (_no_authority, "ORDINATE_TLS_CLIENT_CA names"),
    "unknown kind of key": (_unknown_key, "server.pem, which holds no certificate in PEM, or one"),
    "impossible key": (_impossible_key, "server.pem, which holds no certificate in PEM, or one"),
    "unknown version": (_unknown_version, "server.pem, which holds no certificate in PEM, or one"),
    "authority of unknown version": (_authority_of_unknown_version, "ORDINATE_TLS_CLIENT_CA names"),
    "list of unknown version": (_list_of_unknown_version, "holds no certificate revocation list"),
    "a key for nobody": (_key_for_nobody, "whose key is of a kind that no client could connect by"),
    "no list": (_no_list, "holds no certificate revocation list in PEM, or other things as well"),
    **{
        f"{label.lower()} in a list": (
            _among_lists(label),
            "crl.pem, which holds no certificate re",
        )
        for label in ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "PRIVATE KEY")
    },
    "half a list": (_half_a_list, "crl.pem, which holds no certificate revocation list in PEM"),
    "endless list": (_endless_list, "crl.pem, which has more than 4194304 bytes"),
    "trusted authority": (_trusted_authority, "ca.pem, which holds no certificate in PEM, or one"),
    "list in authorities": (_list_among_authorities, "ca.pem, which holds no certificate in PEM"),
}


@pytest.mark.parametrize(("spoil", "said"), SPOILT.values(), ids=SPOILT)
def test_what_is_wrong_is_told_in_one_line(
    own: Certificates, spoil: Callable[[Certificates], Settings], said: str
) -> None:
    settings = own.settings() | spoil(own)

    with pytest.raises(ConfigError) as caught:
        opened(settings)

    assert said in caught.value.message
    assert "\n" not in caught.value.message
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("label", ["X509 CERTIFICATE", "TRUSTED CERTIFICATE"])
def test_a_renewed_list_adds_no_authority(own: Certificates, label: str) -> None:
    crl, settings = _with_list(own)
    live = opened(own.settings() | settings)
    before = live.context

    crl.write_bytes(crl.read_bytes() + _stranger(own, label))
    change = live.look()

    assert change is not None
    assert change.refused is not None
    assert live.context is before
    assert before.cert_store_stats() == {"x509": 1, "crl": 1, "x509_ca": 1}


def test_several_authorities_and_lists_are_taken_with_text_around_them(own: Certificates) -> None:
    crl, settings = _with_list(own)
    other = Certificates(own.ca.parent / "other")
    lists = [
        crl.read_bytes(),
        other.revoke(other.client("a"), other.ca.with_name("crl")).read_bytes(),
    ]
    authorities = [own.ca.read_bytes(), _stranger(own, "X509 CERTIFICATE")]
    crl.write_bytes(b"first\n%bthen\n%bat last\n" % tuple(lists))
    own.ca.write_bytes(b"first\n%bthen\n%bat last\n" % tuple(authorities))

    live = opened(own.settings() | settings)

    assert live.context.cert_store_stats() == {"x509": 2, "crl": 2, "x509_ca": 2}


def test_what_is_told_of_a_certificate_is_of_that_which_clients_are_shown(
    own: Certificates,
) -> None:
    """OpenSSL would show the first, which has the same key and another label."""
    good = own.server.cert.read_bytes()
    own.expire(own.server)
    former = own.server.cert.read_bytes().replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE")
    own.server.cert.write_bytes(former + good)

    live = opened(own.settings())

    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = own.trusting().wrap_bio(to_client, to_server, server_hostname="localhost")
    server = live.context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server) * 3:
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    assert client.getpeercert(binary_form=True) == content_of(good)
    assert live.warnings == ()


@pytest.mark.parametrize(
    ("file", "label", "old", "new"),
    [
        ("ca.pem", "CERTIFICATE", "2a8648ce3d0201", "2a8648ce3d0209"),
        ("ca.pem", "CERTIFICATE", "03420004", "034200ff"),
        ("ca.pem", "CERTIFICATE", "a003020102", "a003020109"),
        ("ca.pem", "CERTIFICATE", "742043413059", "7420ff413059"),  # its name is not text
        ("ca-key.pem", "PRIVATE KEY", "2a8648ce3d0201", "2a8648ce3d0209"),
    ],
)
def test_a_damaged_authority_signs_nothing_and_that_is_told_in_one_line(
    own: Certificates, file: str, label: str, old: str, new: str
) -> None:
    folder = own.ca.parent
    _altered(folder / file, label, old, new)

    with pytest.raises(ConfigError, match=r"are no authority that was made here") as caught:
        Workshop(folder).client("late")

    assert caught.value.message.isprintable()
    assert not (folder / "client-late.pem").exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="who may read everything")
def test_a_file_of_somebody_else_is_told_with_who_is_to_read_it(own: Certificates) -> None:
    own.server.key.chmod(0)

    with pytest.raises(ConfigError, match=f"let the user with id {os.geteuid()} read it"):
        opened(own.settings())


def test_a_password_opens_a_key_also_from_a_file(own: Certificates, tmp_path: Path) -> None:
    lock(own, "open sesame")
    file = tmp_path / "password"
    file.write_text("open sesame\n")

    for setting in ({"KEY_PASSWORD": "open sesame"}, {"KEY_PASSWORD_FILE": str(file)}):
        assert opened(own.settings(**setting)).warnings == ()


def test_a_service_that_cannot_speak_tls_does_not_start(own: Certificates) -> None:
    own.server.key.write_text("half a k")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ORDINATE_")}

    run = subprocess.run(
        [sys.executable, "-m", "gunicorn", "wsgi:app"],
        cwd=ROOT,
        env=clean | own.settings() | {"PORT": "0", "ORDINATE_MODELS": str(own.ca.parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 2
    last = run.stderr.splitlines()[-1]
    assert last.startswith(
        f"error: ORDINATE_TLS_KEY names {own.server.key}, which holds no private"
    )
    assert "Traceback" not in run.stderr
