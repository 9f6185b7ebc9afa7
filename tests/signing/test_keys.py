"""Keys: made once, read strictly, never shown; and what they say of a signature."""

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed448, rsa, x448, x25519

from app.config import Config
from app.errors import BrokenModel, ConfigError, StoreError
from app.signing import Keys, Signed, about_version, make_pair, read_signer, read_trusted
from tests.support.keys import signer, trusting
from tests.support.models import publish
from tests.support.server import ROOT

STATEMENT = about_version("tiny", 1, "0" * 64)
RSA = rsa.generate_private_key(65537, 2048)
PEM = serialization.Encoding.PEM
RSA_PRIVATE = RSA.private_bytes(
    PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
RSA_PUBLIC = RSA.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def test_a_new_private_key_is_its_owners_alone_whatever_the_mask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made, public = make_pair(tmp_path / "a.pem")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "a.pem").stat().st_mode) == 0o600
    assert public == tmp_path / "a.pub"
    assert b"PRIVATE" not in public.read_bytes()
    assert read_signer(tmp_path / "a.pem").key == made.key
    assert list(read_trusted(public)) == [made.key]


@pytest.mark.parametrize("name", ["a.pem", "a.pub"])
def test_a_key_is_never_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")

    with pytest.raises(ConfigError, match="exists already"):
        make_pair(tmp_path / "a.pem")

    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


def test_a_private_key_does_not_go_where_the_public_one_would(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="choose another name"):
        make_pair(tmp_path / "a.pub")

    assert list(tmp_path.iterdir()) == []


def test_a_key_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "a.pem").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ConfigError, match="exists already"):
        make_pair(tmp_path / "a.pem")

    assert not (tmp_path / "elsewhere").exists()


def test_a_key_is_called_by_the_digest_of_its_bytes(tmp_path: Path) -> None:
    made = signer(tmp_path, "a")

    assert made.key == hashlib.sha256(made.public.public_bytes_raw()).hexdigest()[:16]


def test_no_representation_shows_a_private_key(tmp_path: Path) -> None:
    made = signer(tmp_path, "a")
    keys = trusting(made, signs=made)
    secret = "".join((tmp_path / "a.pem").read_text().splitlines()[1:-1])

    shown = f"{made!r} {made} {keys!r} {keys}"

    assert made.key in shown
    assert secret not in shown
    assert read_signer(tmp_path / "a.pem")._private.private_bytes_raw().hex() not in shown


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_pair_that_openssl_made_is_read(tmp_path: Path) -> None:
    private, public = str(tmp_path / "o.pem"), str(tmp_path / "o.pub")
    for command in (
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", private],
        ["openssl", "pkey", "-in", private, "-pubout", "-out", public],
    ):
        subprocess.run(command, check=True, capture_output=True)

    assert list(read_trusted(Path(public))) == [read_signer(Path(private)).key]


def test_several_public_keys_are_read_from_a_file_and_from_a_folder(tmp_path: Path) -> None:
    made = [signer(tmp_path, name) for name in ("a", "b")]
    both = tmp_path / "both.txt"
    both.write_bytes(b"# ours\n" + b"\n".join((tmp_path / f"{n}.pub").read_bytes() for n in "ab"))

    ids = {each.key for each in made}
    assert set(read_trusted(both)) == ids
    assert set(read_trusted(tmp_path)) == ids  # and the private keys in it are not looked at
    assert read_trusted(None) == {}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(None, "cannot be read: No such file", id="absent"),
        pytest.param(b"", "holds no public key", id="empty"),
        pytest.param(b"\xff" * 99, "holds no public key", id="garbage"),
        pytest.param(RSA_PUBLIC, "none of Ed25519", id="RSA"),
        pytest.param(RSA_PRIVATE, "holds a private key", id="private"),
        pytest.param(
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "none of", id="cut"
        ),
    ],
)
def test_a_file_without_public_keys_stops_the_start_and_says_which(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    place = tmp_path / "keys.pub"
    if content is not None:
        place.write_bytes(content)

    with pytest.raises(ConfigError, match=says) as caught:
        read_trusted(place)

    assert str(place) in caught.value.message


@pytest.mark.parametrize(
    "kind", [x25519.X25519PrivateKey, ed448.Ed448PrivateKey, x448.X448PrivateKey]
)
def test_a_key_of_a_kind_with_the_same_methods_is_refused(tmp_path: Path, kind: Any) -> None:
    private, public = tmp_path / "a.pem", tmp_path / "a.pub"
    key, info = kind.generate(), serialization.PublicFormat.SubjectPublicKeyInfo
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private.write_bytes(key.private_bytes(PEM, pkcs8, plain))
    public.write_bytes(key.public_key().public_bytes(PEM, info))

    with pytest.raises(ConfigError, match="no private key of Ed25519"):
        read_signer(private)
    with pytest.raises(ConfigError, match="none of Ed25519"):
        read_trusted(public)


def test_a_public_key_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "a.pub"
    signer(tmp_path, "a")
    place.write_bytes(place.read_bytes().replace(b"MCowBQYDK2Vw", b"MCowBQYDK2V/"))

    with pytest.raises(ConfigError, match="none of Ed25519"):
        read_trusted(place)


def test_a_folder_without_public_keys_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no file that ends with \.pub"):
        read_trusted(tmp_path)


@pytest.mark.parametrize("content", [None, b"", RSA_PRIVATE, RSA_PUBLIC], ids=range(4))
def test_a_file_without_a_private_key_is_refused_by_name(
    tmp_path: Path, content: bytes | None
) -> None:
    place = tmp_path / "signing.pem"
    if content is not None:
        place.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        read_signer(place)

    assert str(place) in caught.value.message
    assert caught.value.message.isprintable()


def test_a_service_never_reads_the_private_key(tmp_path: Path) -> None:
    signer(tmp_path, "a")
    env = {
        "ORDINATE_SIGNING_KEY": str(tmp_path / "absent.pem"),
        "ORDINATE_TRUSTED_KEYS": str(tmp_path / "a.pub"),
        "ORDINATE_REQUIRE_SIGNATURE": "on",
    }

    keys = Keys.to_verify(Config.from_env(env))

    assert keys.signer is None
    assert keys.required
    with pytest.raises(ConfigError, match=r"absent\.pem cannot be read"):
        Keys.to_sign(Config.from_env(env))


def test_a_signature_is_told_by_what_is_known_of_its_key(tmp_path: Path) -> None:
    mine, other = signer(tmp_path, "mine"), signer(tmp_path, "other")
    signature = mine.sign(STATEMENT)

    def said(keys: Keys) -> str:
        return str(keys.check(STATEMENT, signature))

    assert said(trusting(mine)) == f"signed by {mine.key}"
    assert said(trusting(other, required=False)) == f"signed by {mine.key}, which is not trusted"
    assert said(Keys()) == f"signed by {mine.key}, not checked"
    assert said(Keys(signer=mine)) == f"signed by {mine.key}"
    assert Keys().check(STATEMENT, None) == Signed("unsigned", None)
    assert str(Signed()) == "unsigned"


def test_where_signatures_are_required_only_a_trusted_one_of_this_very_statement_does(
    tmp_path: Path,
) -> None:
    mine, other = signer(tmp_path, "mine"), signer(tmp_path, "other")
    keys = trusting(mine)

    with pytest.raises(BrokenModel, match="it is not signed, and this service requires it"):
        keys.check(STATEMENT, None)
    with pytest.raises(BrokenModel, match=f"by the key {other.key}, which is not trusted here"):
        keys.check(STATEMENT, other.sign(STATEMENT))
    with pytest.raises(BrokenModel, match=f"does not match its signature by the key {mine.key}"):
        keys.check(STATEMENT + b" ", mine.sign(STATEMENT))


def test_a_wrong_signature_by_a_trusted_key_is_refused_also_where_none_is_required(
    tmp_path: Path,
) -> None:
    mine = signer(tmp_path, "mine")

    with pytest.raises(BrokenModel, match="does not match its signature"):
        trusting(mine, required=False).check(b"another", mine.sign(STATEMENT))


def test_who_signs_what_no_service_would_take_hears_of_it_and_what_to_do(tmp_path: Path) -> None:
    mine, other = signer(tmp_path, "mine"), signer(tmp_path, "other")

    with pytest.raises(StoreError, match="set ORDINATE_SIGNING_KEY to the file of a private key"):
        trusting(mine).check_signer()
    with pytest.raises(StoreError, match="add its public key there, or sign with another"):
        trusting(mine, signs=other).check_signer()
    for keys in (trusting(mine, signs=mine), Keys(), Keys(signer=mine)):
        keys.check_signer()


def modules(models: Path, **env: str) -> set[str]:
    """What a service over these models imports."""
    program = (
        "import sys; from app import create_app; from app.config import Config; "
        "create_app(Config.from_env()).extensions['ordinate'].registry.get(); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"ORDINATE_MODELS": str(models)} | env,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_a_service_without_keys_pays_nothing_for_them(tmp_path: Path) -> None:
    mine = signer(tmp_path / "keys", "mine")
    publish(tmp_path / "models", linear=True, keys=trusting(mine, signs=mine))

    without = modules(tmp_path / "models")
    with_keys = modules(tmp_path / "models", ORDINATE_TRUSTED_KEYS=str(tmp_path / "keys"))

    assert not without & {"cryptography", "sklearn", "joblib", "numpy.random"}
    assert "cryptography" in with_keys
