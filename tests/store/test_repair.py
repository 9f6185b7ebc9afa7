"""Repairing: what can be explained is cleared and told, all else stays as it is."""

from pathlib import Path

import pytest

from app.files import TEMPORARY
from app.store import Keeper, Reader, Repair
from tests.store.planting import KINDS, plant
from tests.support.models import SINGLE, publish


def snapshot(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def test_a_store_that_is_whole_is_left_as_it_is(root: Path) -> None:
    Keeper(root).set_label("tiny", "canary", 1)
    before = snapshot(root)

    assert Repair(root).repair() == []
    assert snapshot(root) == before


def test_what_a_killed_publish_left_is_removed_and_told(root: Path) -> None:
    before = snapshot(root)
    for place in (root / "tiny", root):
        (place / f"{TEMPORARY}1").write_bytes(b"half")
    (root / "tiny" / f"{TEMPORARY}2").mkdir()
    (root / "tiny" / f"{TEMPORARY}2" / "model.joblib").write_bytes(b"half")

    done = Repair(root).repair()

    assert done == [
        "removed tiny/.tmp-1, left by a writer that died",
        "removed tiny/.tmp-2, left by a writer that died",
        "removed .tmp-1, left by a writer that died",
    ]
    assert snapshot(root) == before


def test_the_folder_of_a_first_publish_that_died_goes_and_an_empty_folder_stays(root: Path) -> None:
    (root / "died" / f"{TEMPORARY}1").mkdir(parents=True)
    (root / "empty").mkdir()

    done = Repair(root).repair()

    assert done[-1] == "removed died, whose first publish did not come to its end"
    assert not (root / "died").exists()
    assert (root / "empty").is_dir()


def test_a_label_of_a_version_that_is_gone_is_removed_and_the_others_stay(root: Path) -> None:
    keeper = Keeper(root)
    publish(root)
    for label, version in (("canary", 1), ("shadow", 2), ("proven", 1)):
        keeper.set_label("tiny", label, version)
    (root / "tiny" / "1").rename(root.parent / "taken away by hand")

    assert Repair(root).repair("tiny") == [
        "removed the label canary of tiny: there is no tiny/1",
        "removed the label proven of tiny: there is no tiny/1",
    ]
    assert list(Reader(root).labels("tiny")) == ["shadow"]


def test_a_default_that_names_nothing_becomes_the_only_model(root: Path) -> None:
    (root / "default").write_bytes(b"nobody\n")

    assert Repair(root).repair() == [
        "made tiny the default model: the one that was named does not exist"
    ]
    assert Reader(root).default() == "tiny"


def test_among_several_models_none_is_chosen(root: Path) -> None:
    publish(root, "single", SINGLE)
    (root / "default").write_bytes(b"nobody\n")

    assert Repair(root).repair() == []
    assert (root / "default").read_bytes() == b"nobody\n"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "nothing"])
@pytest.mark.parametrize("file", ["current", "history", "label-canary", "1/manifest.json"])
def test_what_is_damaged_is_not_touched(root: Path, outside: Path, file: str, kind: str) -> None:
    Keeper(root).set_label("tiny", "canary", 1)
    plant(root / "tiny" / file, kind, outside)
    before = (root / "tiny" / file).lstat()

    assert Repair(root).repair() == []

    assert (root / "tiny" / file).lstat() == before


def test_strangers_and_links_are_not_touched(root: Path, outside: Path) -> None:
    (outside / f"{TEMPORARY}1").write_bytes(b"mine")
    (root / "link").symlink_to(outside)
    (root / "notes").write_text("mine")
    (root / "tiny" / "label-canary.bak").write_text("mine")

    assert Repair(root).repair() == []

    assert (outside / f"{TEMPORARY}1").exists()
    assert (root / "tiny" / "label-canary.bak").exists()
