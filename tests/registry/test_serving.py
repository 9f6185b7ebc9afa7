"""The registry: what is served is the newest that can be trusted, and is replaced as a whole."""

import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.errors import NotReady, UnknownModel
from app.manifest import Golden
from app.registry import LoadEvent, Registry
from app.runtimes import MODEL_FILE, dump
from app.store import Pointer, Reader, Store
from tests.support.models import PLAIN, SINGLE, described, fitted, publish
from tests.support.watched import Watched

Damage = Callable[[Path], Any]

BAD = Golden(((1.0, 2.0, 0.5),), (1e9,))
"""Golden rows that no model of the tests reproduces: a version with them is refused."""


def overwrite(path: Path) -> None:
    path.write_bytes(b"damaged")


def point(root: Path, version: int) -> None:
    """Make `current` name a manifest that the version does not have."""
    (root / "tiny" / "current").write_bytes(Pointer(version, "0" * 64).to_bytes())


POINTERS: Mapping[str, Damage] = {
    "damaged": lambda root: overwrite(root / "tiny" / "current"),
    "empty": lambda root: (root / "tiny" / "current").write_bytes(b""),
    "absent": lambda root: (root / "tiny" / "current").unlink(),
    "of another manifest": lambda root: point(root, 2),
    "of no version": lambda root: point(root, 9),
}
FILES: Mapping[str, Damage] = {
    "manifest damaged": lambda root: overwrite(root / "tiny" / "2" / "manifest.json"),
    "model damaged": lambda root: overwrite(root / "tiny" / "2" / "model.joblib"),
    "model absent": lambda root: (root / "tiny" / "2" / "model.joblib").unlink(),
    "version absent": lambda root: shutil.rmtree(root / "tiny" / "2"),
}


def test_the_current_version_of_each_model_is_loaded_and_told(root: Path) -> None:
    publish(root, "other", SINGLE)
    watched = Watched(root)

    told = watched.refresh()

    assert told == [LoadEvent("other", 1, "loaded"), LoadEvent("tiny", 2, "loaded")]
    assert watched.label == "tiny/2"
    assert watched.registry.get("other").label == "other/1"
    assert watched.registry.versions("tiny") == [1, 2]
    assert [state.problem for state in watched.registry.states().values()] == [None, None]


def test_without_a_refresh_the_models_are_loaded_when_first_asked_for(root: Path) -> None:
    watched = Watched(root)

    assert watched.told == []
    assert watched.label == "tiny/2"
    assert watched.registry.default == "tiny"


def test_many_threads_that_ask_first_get_one_and_the_same_model(root: Path) -> None:
    watched = Watched(root)
    start = threading.Barrier(8)
    found: list[Any] = []

    def ask() -> None:
        start.wait()
        found.extend([watched.registry.get(), watched.registry.get("tiny", 1)])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 16
    assert len({id(model) for model in found}) == 2
    assert [event.version for event in watched.told] == [2, 1]


def test_a_start_falls_back_on_a_candidate_only_where_nothing_else_is_left(root: Path) -> None:
    Store(root).remove("tiny", 1)
    candidate = publish(root, seed=3, promotion={"decision": "candidate"})
    publish(root, seed=4)
    overwrite(root / "tiny" / "4" / "model.joblib")
    spared, left = Watched(root), Watched(root)

    spared.refresh()
    overwrite(root / "tiny" / "2" / "model.joblib")
    left.refresh()

    assert (spared.label, left.label) == ("tiny/2", f"tiny/{candidate.version}")


@pytest.mark.parametrize("damage", FILES.values(), ids=FILES)
def test_a_start_with_a_broken_current_version_serves_the_last_good_one(
    root: Path, damage: Damage
) -> None:
    damage(root)
    watched = Watched(root)

    watched.refresh()

    assert watched.label == "tiny/1"
    assert watched.problem is not None
    assert watched.problem.startswith("version 2 is refused: ")
    assert [(event.version, event.outcome) for event in watched.told] == [
        (2, "refused"),
        (1, "loaded"),
    ]


@pytest.mark.parametrize(
    ("pointer", "served"),
    [
        ("damaged", "tiny/2"),
        ("empty", "tiny/2"),
        ("absent", "tiny/2"),
        ("of another manifest", "tiny/1"),
        ("of no version", "tiny/2"),
    ],
)
def test_a_start_with_a_broken_pointer_serves_the_newest_good_version_that_it_does_not_name(
    root: Path, pointer: str, served: str
) -> None:
    POINTERS[pointer](root)
    watched = Watched(root)

    watched.refresh()

    assert watched.label == served
    assert watched.problem is not None
    assert str(root) not in watched.problem


@pytest.mark.parametrize("damage", POINTERS.values(), ids=POINTERS)
def test_a_refresh_that_meets_a_broken_pointer_keeps_what_was_served_and_tells_it_once(
    root: Path, watched: Watched, damage: Damage
) -> None:
    model = watched.registry.get()
    damage(root)

    told = [watched.refresh(), watched.refresh(), watched.refresh()]

    assert [event.outcome for event in told[0]] == ["refused"]
    assert told[1:] == [[], []]
    assert watched.problem is not None
    assert watched.registry.get() is model


@pytest.mark.parametrize("damage", FILES.values(), ids=FILES)
def test_damage_to_what_is_in_memory_already_changes_nothing(
    root: Path, watched: Watched, damage: Damage
) -> None:
    model = watched.registry.get()
    damage(root)

    assert watched.refresh() == []
    assert watched.registry.get() is model


def test_what_was_repaired_is_served_at_the_next_refresh(root: Path) -> None:
    place = root / "tiny" / "2" / "model.joblib"
    data = place.read_bytes()
    overwrite(place)
    watched = Watched(root)
    watched.refresh()
    assert watched.label == "tiny/1"

    place.write_bytes(data)

    assert watched.refresh() == [LoadEvent("tiny", 2, "loaded")]
    assert watched.label == "tiny/2"
    assert watched.problem is None


def test_a_new_version_takes_over_at_the_next_refresh_and_nothing_is_loaded_twice(
    root: Path, watched: Watched
) -> None:
    before = watched.registry.get()
    assert watched.refresh() == []

    publish(root, seed=3)

    assert watched.registry.get() is before
    assert watched.refresh() == [LoadEvent("tiny", 3, "loaded")]
    assert watched.label == "tiny/3"
    assert watched.refresh() == []


def test_a_new_version_that_does_not_prove_itself_never_takes_over(
    root: Path, watched: Watched
) -> None:
    publish(root, golden=BAD)

    told = watched.refresh()

    assert [(event.version, event.outcome) for event in told] == [(3, "refused")]
    assert watched.label == "tiny/2"
    assert watched.problem is not None
    assert watched.problem.startswith("version 3 is refused: its answers differ")


def test_a_good_version_after_a_refused_one_takes_over(root: Path, watched: Watched) -> None:
    publish(root, golden=BAD)
    watched.refresh()

    publish(root, seed=4)

    assert watched.refresh() == [LoadEvent("tiny", 4, "loaded")]
    assert watched.label == "tiny/4"
    assert watched.problem is None


def test_a_new_model_is_served_and_a_removed_one_is_not(root: Path, watched: Watched) -> None:
    publish(root, "other", SINGLE)
    assert watched.refresh() == [LoadEvent("other", 1, "loaded")]

    Store(root).remove("other", 1, force=True)

    assert watched.refresh() == [LoadEvent("other", None, "gone")]
    with pytest.raises(UnknownModel, match="there is no model named 'other'"):
        watched.registry.get("other")


def test_a_first_version_that_is_being_proven_is_no_model_yet_and_no_damage(
    root: Path, watched: Watched
) -> None:
    estimator = fitted(PLAIN)
    description, files = described(PLAIN, estimator), {MODEL_FILE: dump(estimator)}
    told: list[LoadEvent] = []

    def prove(name: str, _: int) -> None:
        assert name in Reader(root).names()
        told.extend(watched.refresh())

    Store(root).publish("new", description, files, prove=prove)

    assert told == []
    assert watched.refresh() == [LoadEvent("new", 1, "loaded")]


def test_a_first_version_whose_publisher_was_killed_serves_and_says_so(
    root: Path, watched: Watched
) -> None:
    publish(root, "new")
    (root / "new" / "current").unlink()

    assert [each.outcome for each in watched.refresh()] == ["refused", "loaded"]


def test_a_removed_current_version_makes_way_for_the_newest_other(
    root: Path, watched: Watched
) -> None:
    Store(root).remove("tiny", 2, force=True)

    watched.refresh()

    assert watched.label == "tiny/1"
    assert watched.registry.versions("tiny") == [1]
    with pytest.raises(UnknownModel, match="there is no version 2"):
        watched.registry.get("tiny", 2)


def test_with_every_version_broken_it_says_why_and_the_other_models_answer(root: Path) -> None:
    publish(root, "other", SINGLE)
    for version in ("1", "2"):
        overwrite(root / "tiny" / version / "model.joblib")
    watched = Watched(root)

    watched.refresh()

    with pytest.raises(NotReady) as caught:
        watched.registry.get()
    assert caught.value.message == (
        "the model 'tiny' cannot be used: version 2 is refused: "
        "its model.joblib does not match the digest in its manifest"
    )
    assert watched.registry.get("other").label == "other/1"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(lambda _: None, "models folder cannot be read: No such file", id="missing"),
        pytest.param(lambda place: place.touch(), "folder cannot be read: Not a dir", id="a file"),
        pytest.param(lambda place: place.mkdir(), "there is no default model", id="empty"),
    ],
)
def test_without_a_usable_folder_it_is_not_ready_and_says_why(
    tmp_path: Path, make: Callable[[Path], Any], says: str
) -> None:
    make(tmp_path / "models")
    watched = Watched(tmp_path / "models")

    watched.refresh()

    assert watched.registry.states() == {}
    assert watched.registry.default is None
    with pytest.raises(NotReady, match=says) as caught:
        watched.registry.get()
    assert str(tmp_path) not in caught.value.message
    with pytest.raises(UnknownModel):
        watched.registry.get("tiny")


def test_a_first_publish_is_found_by_a_service_that_started_with_nothing(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "models")
    watched.refresh()

    publish(tmp_path / "models")
    watched.refresh()

    assert watched.label == "tiny/1"


def test_when_the_folder_vanishes_serving_goes_on_from_memory(root: Path, watched: Watched) -> None:
    publish(root, "other", SINGLE)
    watched.refresh()
    root.rename(root.with_name("gone"))

    watched.refresh()

    assert watched.label == "tiny/2"
    assert watched.registry.get("other").label == "other/1"

    root.with_name("gone").rename(root)
    watched.refresh()

    assert watched.problem is None


def test_who_asks_in_the_middle_of_a_refresh_finds_the_state_before_it(root: Path) -> None:
    publish(root, "other", SINGLE)
    seen: list[str] = []
    serving = threading.Event()

    def ask(_: LoadEvent) -> None:
        if serving.is_set():
            seen.append(registry.get().label)

    registry = Registry(Reader(root), None, ask)
    registry.refresh()
    serving.set()

    Store(root).set_default("other")
    publish(root, "other", SINGLE)
    publish(root, seed=9)
    registry.refresh()

    assert seen == ["tiny/2", "tiny/2"]
    assert registry.get().label == "other/2"


def test_an_error_that_nobody_thought_of_keeps_no_other_model_from_being_taken_over(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(root, "other", SINGLE)
    registry = Registry(Reader(root), "tiny", lambda _: None)
    registry.refresh()
    looked_at = Reader.current

    def current(reader: Reader, name: str) -> Pointer:
        if name in ("new", "tiny"):
            raise TypeError(name)
        return looked_at(reader, name)

    for name in ("new", "other", "tiny"):
        publish(root, name)
    monkeypatch.setattr(Reader, "current", current)

    with pytest.raises(TypeError, match="new"):
        registry.refresh()

    assert registry.get("other").label == "other/2"
    assert registry.get("tiny").label == "tiny/2"
    with pytest.raises(NotReady, match="looking at it failed: TypeError"):
        registry.get("new")
