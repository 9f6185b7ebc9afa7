"""Whatever was done to a published file, it is refused with a reason, at once and before use."""

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from app.errors import BrokenModel, StoreError, UnknownModel
from app.manifest import Digest
from app.model import load_model
from app.store import Reader
from tests.store.planting import KINDS, plant
from tests.support.descriptors import opened, settles_at
from tests.support.models import publish

FLIPS = 1000
"""Offsets in each large file at which a bit is flipped."""


def assert_reason(error: BrokenModel, *places: Path) -> None:
    """One line for a client, which knows nothing of this machine."""
    assert error.message.isprintable()
    assert len(error.message) < 300
    assert "/" not in error.message
    assert "Errno" not in error.message
    for place in places:
        assert str(place) not in error.message


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file", ["manifest.json", "model.joblib"])
def test_a_version_is_refused_whatever_stands_in_the_place_of_a_file(
    root: Path, outside: Path, file: str, kind: str
) -> None:
    plant(root / "tiny" / "1" / file, kind, outside)

    with pytest.raises(BrokenModel) as caught:
        Reader(root).open("tiny", 1)

    assert_reason(caught.value, root, outside)
    assert "its manifest" in caught.value.message or f"its {file}" in caught.value.message


@pytest.mark.parametrize("kind", KINDS)
def test_no_version_is_current_whatever_stands_in_the_place_of_the_file_that_names_it(
    root: Path, outside: Path, kind: str
) -> None:
    plant(root / "tiny" / "current", kind, outside)

    with pytest.raises(UnknownModel if kind == "nothing" else BrokenModel) as caught:
        Reader(root).current("tiny")

    assert kind == "nothing" or "its current file" in str(caught.value)
    assert str(root) not in str(caught.value)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("truncated", "longer")])
def test_there_is_no_default_whatever_stands_in_the_place_of_the_file_that_names_it(
    root: Path, outside: Path, kind: str
) -> None:
    plant(root / "default", kind, outside)

    assert Reader(root).default() is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(lambda place: place.rename(place.with_name("9")), "moved", id="renamed"),
        pytest.param(
            lambda place: place.rename(place.with_name("9")).joinpath("model.joblib").unlink(),
            "moved",
            id="renamed and incomplete",
        ),
        pytest.param(
            lambda place: (place / "notes.txt").write_text("x"),
            "'notes.txt', which its manifest does not list",
            id="a file more",
        ),
        pytest.param(
            lambda place: (place / "a\nb").mkdir(),
            r"'a\\nb', which its manifest does not list",
            id="a folder more",
        ),
    ],
)
def test_a_version_whose_folder_was_changed_is_refused(
    root: Path, change: Callable[[Path], Any], says: str
) -> None:
    change(root / "tiny" / "1")

    with pytest.raises(BrokenModel, match=says):
        Reader(root).open("tiny", Reader(root).versions("tiny")[0])


@pytest.mark.parametrize("level", ["tiny", "tiny/1"], ids=["model", "version"])
@pytest.mark.parametrize("kind", ["link", "fifo", "empty", "nothing"])
def test_what_stands_in_the_place_of_a_folder_is_not_entered(
    root: Path, outside: Path, level: str, kind: str
) -> None:
    place = root / level
    place.rename(outside / "moved")
    if kind == "link":
        place.symlink_to(outside / "moved")
    else:
        plant(place, kind, outside)

    with pytest.raises(UnknownModel if kind == "nothing" else BrokenModel) as caught:
        Reader(root).open("tiny", 1)

    assert kind != "link" or caught.value.message == "its folder cannot be opened: it is a link"
    assert str(root) not in str(caught.value)


@pytest.mark.parametrize("file", ["manifest.json", "model.joblib"])
def test_a_flipped_bit_is_noticed_wherever_it_is(root: Path, file: str) -> None:
    place = root / "tiny" / "1" / file
    data = place.read_bytes()
    draw = Random(0)

    for bit in sorted(draw.sample(range(len(data) * 8), FLIPS)):
        place.write_bytes(flipped(data, bit))
        with pytest.raises(BrokenModel) as caught:
            Reader(root).open("tiny", 1)
        assert_reason(caught.value, root)


def test_a_flipped_bit_in_the_current_file_never_names_a_version_that_would_be_believed(
    root: Path,
) -> None:
    publish(root)
    place = root / "tiny" / "current"
    data = place.read_bytes()
    reader = Reader(root)

    for bit in range(len(data) * 8):
        place.write_bytes(flipped(data, bit))
        try:
            pointer = reader.current("tiny")
            found = reader.open("tiny", pointer.version).manifest_sha256
            assert found != pointer.manifest_sha256
        except (BrokenModel, UnknownModel):
            pass


def test_a_flipped_bit_in_the_default_file_names_no_model_or_another_name(root: Path) -> None:
    data = (root / "default").read_bytes()

    for bit in range(len(data) * 8):
        (root / "default").write_bytes(flipped(data, bit))
        name = Reader(root).default()
        assert name is None or name not in Reader(root).names() or bit // 8 == len(data) - 1


@pytest.mark.parametrize("length", [0, 1, 100, 1000])
@pytest.mark.parametrize("file", ["manifest.json", "model.joblib", "current"])
def test_a_file_that_was_cut_is_refused(root: Path, file: str, length: int) -> None:
    place = next((root / "tiny").rglob(file))
    place.write_bytes(place.read_bytes()[:-1][:length])

    with pytest.raises(BrokenModel):
        load_model(Reader(root), "tiny", Reader(root).current("tiny").version)


class Payload:
    """Unpickled, it leaves a file behind: proof that code ran."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.canary,)


@pytest.mark.parametrize("edited", [False, True], ids=["manifest as it was", "digest edited"])
def test_a_malicious_pickle_never_runs(root: Path, outside: Path, edited: bool) -> None:
    folder = root / "tiny" / "1"
    payload = pickle.dumps(Payload(outside / "canary"))
    if edited:
        content = json.loads((folder / "manifest.json").read_bytes())
        content["files"]["model.joblib"] = vars_of(Digest.of(payload))
        (folder / "manifest.json").write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")
    (folder / "model.joblib").write_bytes(payload)

    with pytest.raises(BrokenModel):
        load_model(Reader(root), "tiny", 1)

    assert not (outside / "canary").exists()


def vars_of(digest: Digest) -> dict[str, Any]:
    return {"sha256": digest.sha256, "size": digest.size}


def test_a_manifest_of_another_version_does_not_pass_for_the_current_one(root: Path) -> None:
    publish(root, seed=1)
    (root / "tiny" / "1" / "manifest.json").replace(root / "tiny" / "2" / "manifest.json")

    with pytest.raises(BrokenModel, match="that of tiny/1: the folder was moved") as caught:
        Reader(root).open("tiny", 2)

    assert str(root) not in caught.value.message


@pytest.mark.parametrize(
    "file", ["", ".", "..", "../2/model.joblib", "/etc/passwd", "a/b", "manifest.json", "a\0b"]
)
def test_a_manifest_that_lists_a_file_elsewhere_is_refused(root: Path, file: str) -> None:
    manifest = Reader(root).open("tiny", 1).manifest
    forged = replace(manifest, files={file: Digest.of(b"")})
    (root / "tiny" / "1" / "manifest.json").write_bytes(forged.to_bytes())

    with pytest.raises(BrokenModel, match="lists a file that is not in its folder"):
        Reader(root).open("tiny", 1)


@pytest.mark.parametrize("size", [-1, 2**40])
def test_a_manifest_with_an_absurd_size_is_refused_before_anything_is_read(
    root: Path, size: int
) -> None:
    manifest = Reader(root).open("tiny", 1).manifest
    forged = replace(manifest, files={"model.joblib": Digest("0" * 64, size)})
    (root / "tiny" / "1" / "manifest.json").write_bytes(forged.to_bytes())

    with pytest.raises(BrokenModel, match=r"its model\.joblib"):
        Reader(root).open("tiny", 1)


@pytest.mark.parametrize("name", ["..", "../models/tiny", "TINY", "a" * 300, "tiny\0"])
def test_a_name_that_no_model_can_have_reaches_no_folder(root: Path, name: str) -> None:
    for ask in (Reader(root).current, Reader(root).versions):
        with pytest.raises(StoreError, match="cannot be a model's name"):
            ask(name)


def test_strangers_in_the_models_folder_are_no_models(root: Path) -> None:
    (root / "README.md").write_text("hello")
    (root / "notes").write_text("hello")
    (root / "empty").mkdir()
    (root / ".git").mkdir()

    assert Reader(root).names() == ["tiny"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(lambda _: None, "No such file", id="missing"),
        pytest.param(lambda place: place.touch(), "Not a directory", id="file"),
        pytest.param(lambda place: place.symlink_to(place), "link", id="link to itself"),
    ],
)
def test_a_models_folder_that_is_none_is_told(
    tmp_path: Path, make: Callable[[Path], Any], says: str
) -> None:
    place = tmp_path / "models"
    make(place)

    with pytest.raises(StoreError, match=f"the models folder cannot be read: .*{says}") as caught:
        Reader(place).names()

    assert str(tmp_path) not in caught.value.message
    assert Reader(place).default() is None
    assert Reader(place).versions("tiny") == []


@pytest.mark.parametrize("kind", KINDS)
def test_reading_leaves_no_descriptor_open(root: Path, outside: Path, kind: str) -> None:
    """A service that looks at a broken folder for weeks must not run out of them."""
    plant(root / "tiny" / "1" / "model.joblib", kind, outside)
    before = opened()

    for _ in range(3):
        with pytest.raises(BrokenModel):
            Reader(root).open("tiny", 1)

    assert settles_at(before)
