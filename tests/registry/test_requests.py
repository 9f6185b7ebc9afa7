"""What the registry answers to a request that names a version, or nothing at all."""

from pathlib import Path

import pytest

from app.errors import NotReady, UnknownModel
from app.registry import LoadEvent
from app.store import Store
from tests.support.models import SINGLE, publish
from tests.support.watched import Watched


def overwrite(path: Path) -> None:
    path.write_bytes(b"damaged")


def test_a_version_asked_for_by_number_is_loaded_once(watched: Watched) -> None:
    first = watched.registry.get("tiny", 1)

    assert first.label == "tiny/1"
    assert watched.registry.get("tiny", 1) is first
    assert watched.registry.get("tiny", 2) is watched.registry.get()
    assert watched.told[1:] == [LoadEvent("tiny", 1, "loaded")]


def test_a_broken_version_asked_for_by_number_is_refused_until_it_was_repaired(
    root: Path, watched: Watched
) -> None:
    place = root / "tiny" / "1" / "model.joblib"
    data = place.read_bytes()
    overwrite(place)

    for _ in range(2):
        with pytest.raises(
            NotReady, match=r"version 1 of 'tiny' cannot be used: its model\.joblib"
        ):
            watched.registry.get("tiny", 1)
    assert [event.outcome for event in watched.told] == ["loaded", "refused"]

    place.write_bytes(data)
    watched.refresh()

    assert watched.registry.get("tiny", 1).label == "tiny/1"


@pytest.mark.parametrize("version", [0, 3, 999_999_999, -1])
def test_a_version_that_does_not_exist_is_unknown(watched: Watched, version: int) -> None:
    with pytest.raises(UnknownModel, match=f"there is no version {version} of a model named"):
        watched.registry.get("tiny", version)


@pytest.mark.parametrize("name", ["nobody", "Tiny", "../tiny", "a" * 10_000, "tiny\0"])
def test_a_name_that_does_not_exist_is_unknown(watched: Watched, name: str) -> None:
    for version in (None, 1):
        with pytest.raises(UnknownModel, match="there is no model named"):
            watched.registry.get(name, version)


def test_an_empty_name_is_that_of_a_default_that_there_was_not(watched: Watched) -> None:
    assert watched.registry.default == "tiny"
    with pytest.raises(NotReady, match="there is no default model"):
        watched.registry.lineup("")


def test_one_numbered_version_stays_in_memory_and_goes_before_another_is_loaded(
    root: Path, watched: Watched
) -> None:
    publish(root)
    watched.refresh()
    first = watched.registry.get("tiny", 1)

    second = watched.registry.get("tiny", 2)

    assert second.label == "tiny/2"
    assert watched.registry.get("tiny", 2) is second
    assert watched.registry.get("tiny", 1) is not first


def test_a_removed_version_is_let_go_at_the_next_refresh(root: Path, watched: Watched) -> None:
    watched.registry.get("tiny", 1)

    Store(root).remove("tiny", 1)
    watched.refresh()

    with pytest.raises(UnknownModel):
        watched.registry.get("tiny", 1)


def test_the_chosen_default_goes_before_that_of_the_folder(root: Path) -> None:
    publish(root, "other", SINGLE)

    assert Watched(root, "other").label == "other/1"
    assert Watched(root).label == "tiny/2"


def test_a_chosen_default_that_does_not_exist_is_not_ready(root: Path) -> None:
    with pytest.raises(NotReady, match="no model named 'later', which is the default"):
        Watched(root, "later").registry.get()


def test_the_default_of_the_folder_is_followed(root: Path, watched: Watched) -> None:
    publish(root, "other", SINGLE)
    Store(root).set_default("other")

    watched.refresh()

    assert watched.label == "other/1"


def test_without_a_default_in_the_folder_the_only_model_is_it(root: Path) -> None:
    (root / "default").unlink()
    assert Watched(root).label == "tiny/2"

    publish(root, "other", SINGLE)
    (root / "default").unlink()
    with pytest.raises(NotReady, match="there is no default model"):
        Watched(root).registry.get()


@pytest.mark.parametrize("data", [b"", b"nobody\n", b"\xff", b"../tiny\n"])
def test_a_default_that_is_damaged_while_serving_changes_nothing(
    root: Path, watched: Watched, data: bytes
) -> None:
    publish(root, "other", SINGLE)
    (root / "default").write_bytes(data)

    watched.refresh()

    assert watched.label == "tiny/2"
