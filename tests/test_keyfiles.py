"""Files of keys: their owner's alone where they are private, and never overwritten."""

import stat
from pathlib import Path

import pytest

from app.errors import ConfigError
from app.keyfiles import (
    EVERYBODY,
    OWNER_ONLY,
    beside,
    private_key,
    public_key,
    read_key_file,
    write_key_file,
    write_pair,
)
from tests.support.full import files_of_at_most


@pytest.mark.parametrize("mode", [OWNER_ONLY, EVERYBODY])
def test_what_was_written_is_read(tmp_path: Path, mode: int) -> None:
    write_key_file(tmp_path / "key", b"content", mode)

    assert read_key_file(tmp_path / "key") == b"content"
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == mode


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    write_key_file(tmp_path / "key", b"content", OWNER_ONLY)

    with pytest.raises(ConfigError, match="exists already"):
        write_key_file(tmp_path / "key", b"other", OWNER_ONLY)
    assert read_key_file(tmp_path / "key") == b"content"


def test_a_file_that_cannot_be_read_or_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory"):
        read_key_file(tmp_path / "absent")
    with pytest.raises(ConfigError, match="cannot be written: No such file or directory"):
        write_key_file(tmp_path / "absent" / "key", b"content", OWNER_ONLY)


def test_half_a_key_is_not_left_in_the_way(tmp_path: Path) -> None:
    with files_of_at_most(100), pytest.raises(ConfigError, match="cannot be written"):
        write_key_file(tmp_path / "key", b"x" * 200, OWNER_ONLY)

    write_key_file(tmp_path / "key", b"x" * 200, OWNER_ONLY)


def test_half_a_pair_is_not_left_in_the_way(tmp_path: Path) -> None:
    private, public = tmp_path / "key.pem", tmp_path / "key.pub"

    with files_of_at_most(100), pytest.raises(ConfigError, match=r"key\.pub cannot be written"):
        write_pair(private, b"secret", public, b"x" * 200)
    assert not list(tmp_path.iterdir())

    public.write_bytes(b"of somebody else")
    with pytest.raises(ConfigError, match="exists already"):
        write_pair(private, b"secret", public, b"known")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"of somebody else"]


@pytest.mark.parametrize("name", ["", ".", "/"])
def test_a_pair_without_a_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="name the file of the private key"):
        beside(Path(name), ".pub")


# Each names a kind and has the bytes of another, or names one that does not exist.
ODD_PRIVATE = (
    b"MC4CAQAwBQYDK2VvBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
    b"MC4CAQAwBQYDK2V/BCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
    b"MA==",
)
ODD_PUBLIC = (
    b"MCowBQYDK2VvAyEAAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    b"MCowBQYDK2V/AyEAAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    b"MA==",
)


def pem(kind: bytes, content: bytes) -> bytes:
    return b"-----BEGIN %s KEY-----\n%s\n-----END %s KEY-----\n" % (kind, content, kind)


@pytest.mark.parametrize("content", ODD_PRIVATE)
def test_a_private_key_that_cannot_be_is_told_as_one_that_cannot_be_read(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        private_key(pem(b"PRIVATE", content))


@pytest.mark.parametrize("content", ODD_PUBLIC)
def test_a_public_key_that_cannot_be_is_told_as_one_that_cannot_be_read(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        public_key(pem(b"PUBLIC", content))
