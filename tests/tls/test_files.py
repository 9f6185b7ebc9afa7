"""Files that TLS cannot be set up from stop the start with one line: which file, and what to do."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from app.config import Config
from app.errors import ConfigError
from app.tls import Live
from tests.support.certificates import PEM, Certificates
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
    "no list": (_no_list, "holds no certificate revocation list in PEM, or other things as well"),
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
