"""Signed versions: what counts is checked before anything is read, and bound to its place."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.errors import BrokenModel, StoreError, UnknownModel
from app.files import TEMPORARY
from app.model import load_model
from app.signing import Keys, Signed, Signer, about_current
from app.store import Pointer, Reader, SigningStore, Store
from tests.store.planting import KINDS, plant
from tests.store.processes import Publisher
from tests.store.test_tampering import flipped
from tests.support.keys import signer, trusting
from tests.support.models import publish

LATER = 10**15
"""A sequence that no clock gives for thirty thousand years."""

MOST_CALLS = 500


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return signer(tmp_path_factory.mktemp("keys"), "mine")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return signer(tmp_path_factory.mktemp("keys"), "other")


@pytest.fixture
def signs(mine: Signer) -> Keys:
    """The keys of who signs and takes nothing else."""
    return trusting(mine, signs=mine)


@pytest.fixture
def signed(tmp_path: Path, signs: Keys) -> Path:
    """A models folder with signed versions 1 and 2 of `tiny`."""
    root = tmp_path / "signed"
    publish(root, seed=1, keys=signs)
    publish(root, seed=2, keys=signs)
    return root


@pytest.fixture
def reader(signed: Path, mine: Signer) -> Reader:
    """What a service reads it with."""
    return Reader(signed, trusting(mine))


def test_a_published_version_and_the_file_that_names_it_are_signed(
    signed: Path, reader: Reader, mine: Signer
) -> None:
    assert reader.open("tiny", 1).signed == Signed("verified", mine.key)
    assert load_model(reader, "tiny", 2).signed == Signed("verified", mine.key)
    assert reader.current("tiny").version == 2
    assert sorted(path.name for path in (signed / "tiny" / "1").iterdir()) == [
        "manifest.json",
        "manifest.sig",
        "model.joblib",
    ]


def test_without_keys_everything_is_as_it_was(root: Path, signed: Path, mine: Signer) -> None:
    assert b"sequence" not in (root / "tiny" / "current").read_bytes()
    assert not (root / "tiny" / "1" / "manifest.sig").exists()
    assert Reader(root).open("tiny", 1).signed == Signed("unsigned", None)
    assert Reader(signed).open("tiny", 1).signed == Signed("not checked", mine.key)
    assert Reader(signed).current("tiny").version == 2


Attack = Callable[[Path, Keys], Any]


def unsign(root: Path, _: Keys) -> None:
    (root / "tiny" / "2" / "manifest.sig").unlink()


def edit(root: Path, _: Keys) -> None:
    manifest = Reader(root).open("tiny", 2).manifest
    forged = replace(manifest, created="2020-01-01T00:00:00Z")
    (root / "tiny" / "2" / "manifest.json").write_bytes(forged.to_bytes())


def swap_signature(root: Path, _: Keys) -> None:
    shutil.copy(root / "tiny" / "1" / "manifest.sig", root / "tiny" / "2" / "manifest.sig")


def renumber(root: Path, _: Keys) -> None:
    shutil.rmtree(root / "tiny" / "2")
    shutil.copytree(root / "tiny" / "1", root / "tiny" / "2")


def other_model(root: Path, keys: Keys) -> None:
    for seed in (1, 2):
        publish(root, "other", seed=seed, keys=keys)
    shutil.rmtree(root / "tiny" / "2")
    shutil.copytree(root / "other" / "2", root / "tiny" / "2")


def other_model_renamed(root: Path, keys: Keys) -> None:
    """As before, and the manifest says that it is of this place."""
    other_model(root, keys)
    manifest = replace(Reader(root).open("other", 2).manifest, name="tiny")
    (root / "tiny" / "2" / "manifest.json").write_bytes(manifest.to_bytes())


VERSIONS: dict[str, tuple[Attack, str]] = {
    "no signature": (unsign, "is not signed"),
    "an edited manifest": (edit, "does not match its signature"),
    "the signature of another version": (swap_signature, "does not match its signature"),
    "another version": (renumber, "does not match its signature"),
    "a version of another model": (other_model, "does not match its signature"),
    "that with its name": (other_model_renamed, "does not match its signature"),
}


@pytest.mark.parametrize(("attack", "says"), VERSIONS.values(), ids=VERSIONS)
def test_a_version_that_is_not_what_was_signed_is_refused_before_its_files_are_read(
    signed: Path, reader: Reader, signs: Keys, attack: Attack, says: str
) -> None:
    attack(signed, signs)
    # Had anything been read but the manifest, its absence would be what is said.
    (signed / "tiny" / "2" / "model.joblib").unlink()

    with pytest.raises(BrokenModel, match=says) as caught:
        reader.open("tiny", 2)

    assert str(signed) not in caught.value.message
    assert reader.open("tiny", 1).manifest.version == 1


def test_a_file_that_was_edited_is_refused_by_the_digest_in_the_signed_manifest(
    signed: Path, reader: Reader
) -> None:
    (signed / "tiny" / "2" / "model.joblib").write_bytes(b"edited")

    with pytest.raises(BrokenModel, match=r"its model\.joblib does not match the digest"):
        reader.open("tiny", 2)


def test_a_version_by_an_unknown_key_is_refused_where_signatures_are_required(
    signed: Path, other: Signer
) -> None:
    with pytest.raises(BrokenModel, match="which is not trusted here"):
        Reader(signed, trusting(other)).open("tiny", 2)

    lenient = Reader(signed, trusting(other, required=False))
    assert lenient.open("tiny", 2).signed.state == "unknown key"


def test_several_keys_are_trusted_at_once_so_that_one_can_follow_the_other(
    signed: Path, mine: Signer, other: Signer
) -> None:
    both = trusting(mine, other)

    publish(signed, keys=replace(both, signer=other))

    reader = Reader(signed, both)
    assert [reader.open("tiny", v).signed.key for v in (2, 3)] == [mine.key, other.key]
    assert reader.current("tiny").version == 3
    assert Reader(signed, trusting(other)).current("tiny").version == 3
    with pytest.raises(BrokenModel, match="not trusted"):
        Reader(signed, trusting(other)).open("tiny", 2)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "nothing"])
def test_whatever_stands_in_the_place_of_the_signature_is_refused_with_keys_and_without(
    signed: Path, reader: Reader, outside: Path, kind: str
) -> None:
    plant(signed / "tiny" / "2" / "manifest.sig", kind, outside)

    for each in (reader, Reader(signed)):
        with pytest.raises(BrokenModel, match="its signature file"):
            each.open("tiny", 2)


def both(reader: Reader) -> None:
    """Read all that is signed."""
    reader.current("tiny")
    reader.open("tiny", 2)


@pytest.mark.parametrize("file", ["2/manifest.sig", "current"])
def test_every_flipped_bit_of_what_is_signed_is_noticed(
    signed: Path, reader: Reader, file: str
) -> None:
    place = signed / "tiny" / file
    data = place.read_bytes()

    for bit in range(len(data) * 8):
        place.write_bytes(flipped(data, bit))
        with pytest.raises((BrokenModel, UnknownModel)):
            both(reader)


def test_a_pointer_without_a_signature_does_not_count_where_one_is_required(
    signed: Path, reader: Reader
) -> None:
    pointer = reader.current("tiny")
    bare = Pointer(pointer.version, pointer.manifest_sha256)
    (signed / "tiny" / "current").write_bytes(bare.to_bytes())

    with pytest.raises(BrokenModel, match="its current file is not signed"):
        reader.current("tiny")


def test_the_pointer_of_another_model_does_not_count(
    signed: Path, reader: Reader, signs: Keys
) -> None:
    publish(signed, "other", seed=1, keys=signs)
    shutil.copy(signed / "other" / "current", signed / "tiny" / "current")

    with pytest.raises(BrokenModel, match="its current file does not match its signature"):
        reader.current("tiny")


def point(root: Path, by: Signer, sequence: int) -> None:
    """Make version 2 current with this sequence."""
    digest = Reader(root).open("tiny", 2).manifest_sha256
    signature = by.sign(about_current("tiny", 2, digest, sequence))
    pointer = Pointer(2, digest, sequence, signature)
    (root / "tiny" / "current").write_bytes(pointer.to_bytes())


def test_a_sequence_rises_also_where_the_clock_is_behind(
    signed: Path, reader: Reader, signs: Keys, mine: Signer
) -> None:
    point(signed, mine, LATER)

    publish(signed, keys=signs)

    assert reader.current("tiny").sequence == LATER + 1


def test_a_sequence_that_a_stranger_wrote_is_not_gone_on_from(
    signed: Path, reader: Reader, signs: Keys, other: Signer
) -> None:
    point(signed, other, 2**63 - 1)

    publish(signed, keys=signs)

    assert 10**12 < (reader.current("tiny").sequence or 0) < LATER


def test_a_sequence_rises_also_when_the_pointer_was_lost_in_between(
    signed: Path, reader: Reader, signs: Keys
) -> None:
    before = reader.current("tiny").sequence or 0
    (signed / "tiny" / "current").unlink()

    publish(signed, keys=signs)

    assert (reader.current("tiny").sequence or 0) > before


def test_removing_the_current_version_signs_what_follows_it(
    signed: Path, reader: Reader, signs: Keys
) -> None:
    before = reader.current("tiny").sequence or 0

    assert Store(signed, signs).remove("tiny", 2, force=True) == 1

    assert reader.current("tiny").version == 1
    assert (reader.current("tiny").sequence or 0) > before


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda store: publish(store.root, keys=store.keys), id="publish"),
        pytest.param(lambda store: store.remove("tiny", 2, force=True), id="remove"),
        pytest.param(lambda store: store.check_writable("tiny"), id="check"),
    ],
)
def test_without_the_key_nothing_is_written_and_it_says_what_to_do(
    signed: Path, mine: Signer, act: Callable[[Store], Any]
) -> None:
    before = {path: path.read_bytes() for path in signed.rglob("*") if path.is_file()}

    with pytest.raises(StoreError, match="no key to sign with: set ORDINATE_SIGNING_KEY"):
        act(Store(signed, trusting(mine)))

    assert {path: path.read_bytes() for path in signed.rglob("*") if path.is_file()} == before


def test_an_old_version_is_removed_without_the_key(signed: Path, mine: Signer) -> None:
    assert Store(signed, trusting(mine)).remove("tiny", 1) == 2


def test_what_was_published_without_a_key_is_signed_later_and_stays_as_it_is(
    root: Path, signs: Keys, mine: Signer
) -> None:
    publish(root, seed=1)
    before = {path: path.read_bytes() for path in root.rglob("*.json*")}

    lines = SigningStore(root, signs).sign("tiny")

    reader = Reader(root, trusting(mine))
    assert lines == [f"tiny/{what} is signed by {mine.key}" for what in (1, 2, "current")]
    assert reader.current("tiny").version == 2
    assert [reader.open("tiny", v).signed.state for v in (1, 2)] == ["verified"] * 2
    assert {path: path.read_bytes() for path in root.rglob("*.json*")} == before
    assert [path for path in root.rglob("*") if path.name.startswith(TEMPORARY)] == []


def test_one_version_is_signed_alone_and_current_with_it_if_it_is_that(
    root: Path, signs: Keys
) -> None:
    publish(root, seed=1)
    store = SigningStore(root, signs)

    assert [line.split()[0] for line in store.sign("tiny", 1)] == ["tiny/1"]
    assert [line.split()[0] for line in store.sign("tiny", 2)] == ["tiny/2", "tiny/current"]


def test_a_new_key_signs_again_what_the_old_one_signed(
    signed: Path, mine: Signer, other: Signer
) -> None:
    before = Reader(signed).current("tiny").sequence or 0

    SigningStore(signed, trusting(mine, other, signs=other)).sign("tiny")

    reader = Reader(signed, trusting(other))
    assert reader.open("tiny", 1).signed.key == other.key
    assert (reader.current("tiny").sequence or 0) > before


@pytest.mark.parametrize("file", ["model.joblib", "manifest.json"])
def test_what_is_broken_is_not_signed(root: Path, signs: Keys, file: str) -> None:
    publish(root)
    (root / "tiny" / "1" / file).write_bytes(b"edited")

    with pytest.raises(StoreError, match="tiny/1 cannot be signed: its"):
        SigningStore(root, signs).sign("tiny")

    assert list(root.rglob("*.sig")) == []


def test_a_pointer_to_another_manifest_is_not_signed(root: Path, signs: Keys) -> None:
    (root / "tiny" / "current").write_bytes(Pointer(1, "0" * 64).to_bytes())

    with pytest.raises(StoreError, match="names another manifest than version 1 has"):
        SigningStore(root, signs).sign("tiny")


def test_signing_needs_a_key(root: Path) -> None:
    with pytest.raises(StoreError, match="no key to sign with"):
        SigningStore(root).sign("tiny")


def test_a_file_that_is_too_large_by_the_setting_is_not_read(root: Path) -> None:
    size = (root / "tiny" / "1" / "model.joblib").stat().st_size
    (root / "tiny" / "1" / "model.joblib").unlink()

    with pytest.raises(BrokenModel, match=f"more than {size - 1} bytes.*ORDINATE_MAX_MODEL_BYTES"):
        Reader(root, limit=size - 1).open("tiny", 1)
    with pytest.raises(BrokenModel, match="No such file"):
        Reader(root, limit=size).open("tiny", 1)


def test_a_signed_publish_killed_before_any_call_leaves_what_is_signed_or_nothing(
    publisher: Publisher, signed: Path, mine: Signer, tmp_path: Path, quick_path: Path
) -> None:
    private = tmp_path / "publisher.pem"
    by = signer(tmp_path, "publisher")
    trusts = trusting(mine, by)

    for at in range(1, MOST_CALLS):
        root = Path(shutil.copytree(signed, quick_path / str(at)))
        outcome = publisher.publish(root, signed, at=at, key=str(private))
        reader = Reader(root, trusts)
        current = reader.current("tiny")
        assert current.version in (2, 3)
        assert reader.open("tiny", current.version).manifest_sha256 == current.manifest_sha256
        assert reader.previous("tiny") == current.version - 1
        for version in reader.versions("tiny"):
            assert reader.open("tiny", version).signed.state == "verified"
        if not outcome.reached:
            break

    assert current.version == 3
    assert 20 < at < MOST_CALLS - 1
