"""The pair of keys of a prediction log: whatever else is named is refused in one sentence."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from app.errors import ConfigError
from app.journal.keys import key_id, make_pair, read_private, read_public
from tests.support.keys import signer


def test_a_pair_is_two_files_of_which_one_is_its_owners_alone(tmp_path: Path) -> None:
    name, public = make_pair(tmp_path / "mine.pem")

    assert public == tmp_path / "mine.pub"
    assert stat.S_IMODE((tmp_path / "mine.pem").stat().st_mode) == 0o600
    assert key_id(read_public(public)).hex() == name
    assert key_id(read_private(tmp_path / "mine.pem").public_key()).hex() == name


def test_a_pair_is_never_overwritten(tmp_path: Path) -> None:
    make_pair(tmp_path / "mine.pem")

    for name in ("mine.pem", "mine.pub"):
        with pytest.raises(ConfigError, match="exists already"):
            make_pair(tmp_path / name)


def test_a_key_of_openssl_is_as_good(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    private, public = tmp_path / "k.pem", tmp_path / "k.pub"
    for command in (
        f"openssl genpkey -algorithm x25519 -out {private}",
        f"openssl pkey -in {private} -pubout -out {public}",
    ):
        subprocess.run(command.split(), check=True, capture_output=True)

    assert key_id(read_public(public)) == key_id(read_private(private).public_key())


def test_whatever_is_no_public_key_is_refused(tmp_path: Path) -> None:
    make_pair(tmp_path / "mine.pem")
    signer(tmp_path, "signs")
    (tmp_path / "text.pub").write_text("not a key")

    known = (tmp_path / "mine.pub").read_bytes()
    (tmp_path / "new.pub").write_bytes(known.replace(b"MCowBQYDK2Vu", b"MCowBQYDK2V/"))

    for name, problem in {
        "mine.pem": "holds a private key",
        "new.pub": "no public key in PEM",
        "signs.pub": "none of X25519",
        "text.pub": "no public key in PEM",
        "absent.pub": "cannot be read: No such file",
    }.items():
        with pytest.raises(ConfigError, match=problem):
            read_public(tmp_path / name)


def test_whatever_is_no_private_key_is_refused(tmp_path: Path) -> None:
    make_pair(tmp_path / "mine.pem")
    signer(tmp_path, "signs")

    for name in ("mine.pub", "signs.pem"):
        with pytest.raises(ConfigError, match="holds no private key of X25519"):
            read_private(tmp_path / name)
