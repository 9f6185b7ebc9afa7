"""Labels, activations and rollbacks are taken over like new versions, and told once each."""

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import NotReady, StoreError, UnknownModel
from app.model import Model
from app.registry import ChangeEvent, LoadEvent, Registry
from app.store import Keeper, Reader
from app.store.sealed import sealed
from tests.support.models import publish
from tests.support.watched import Watched


def damage(keeper: Keeper, version: int) -> None:
    (keeper.root / "tiny" / str(version) / "model.joblib").write_bytes(b"damaged")


def test_an_activation_is_taken_over_and_told(keeper: Keeper, serving: Watched) -> None:
    keeper.activate("tiny", 1)

    assert serving.refresh() == [LoadEvent("tiny", 1, "loaded")]

    assert serving.label == "tiny/1"
    assert serving.changed == [ChangeEvent("tiny", "swapped", 1, 3)]


def test_a_rollback_is_taken_over_and_told_as_one(keeper: Keeper, serving: Watched) -> None:
    keeper.rollback("tiny")

    serving.refresh()

    assert serving.label == "tiny/2"
    assert serving.changed == [ChangeEvent("tiny", "rolled back", 2, 3)]


def test_a_rollback_to_a_higher_number_is_told_as_one_too(keeper: Keeper) -> None:
    keeper.activate("tiny", 1)
    watched = Watched(keeper.root)
    watched.refresh()

    keeper.rollback("tiny")
    watched.refresh()

    assert watched.changed == [ChangeEvent("tiny", "rolled back", 3, 1)]


def test_a_new_version_is_told_as_a_swap(keeper: Keeper, serving: Watched) -> None:
    publish(keeper.root)

    serving.refresh()

    assert serving.changed == [ChangeEvent("tiny", "swapped", 4, 3)]


def test_a_label_that_is_set_moved_and_removed_is_followed_and_told(
    keeper: Keeper, serving: Watched
) -> None:
    with pytest.raises(UnknownModel, match="no version of 'tiny' that is labelled 'proven'"):
        serving.registry.labelled("tiny", "proven")

    answered = []
    for version in (1, 2):
        keeper.set_label("tiny", "proven", version)
        serving.refresh()
        answered.append(serving.registry.labelled("tiny", "proven").label)
    keeper.remove_label("tiny", "proven")
    serving.refresh()

    assert answered == ["tiny/1", "tiny/2"]
    with pytest.raises(UnknownModel, match="no version of 'tiny' that is labelled 'proven'"):
        serving.registry.labelled("tiny", "proven")
    assert serving.changed == [
        ChangeEvent("tiny", "labelled", 1, None, "proven"),
        ChangeEvent("tiny", "labelled", 2, 1, "proven"),
        ChangeEvent("tiny", "unlabelled", None, 2, "proven"),
    ]


def test_a_labelled_version_is_loaded_once_however_it_is_asked_for(
    keeper: Keeper, serving: Watched
) -> None:
    keeper.set_label("tiny", "proven", 1)
    keeper.set_label("tiny", "current", 3)

    assert serving.refresh() == [LoadEvent("tiny", 1, "loaded")]

    registry = serving.registry
    assert registry.labelled("tiny", "proven") is registry.get("tiny", 1)
    assert registry.labelled("tiny", "current") is registry.get()

    keeper.activate("tiny", 1)

    assert serving.refresh() == []
    assert registry.get() is registry.labelled("tiny", "proven")


def test_a_label_that_moves_to_a_broken_version_keeps_what_it_stood_for(
    keeper: Keeper, serving: Watched
) -> None:
    keeper.set_label("tiny", "proven", 1)
    serving.refresh()
    keeper.set_label("tiny", "proven", 2)
    damage(keeper, 2)

    told = [serving.refresh(), serving.refresh()]

    why = "its model.joblib does not match the digest in its manifest"
    assert told == [[LoadEvent("tiny", None, "refused", f"label proven: {why}")], []]
    assert serving.registry.labelled("tiny", "proven").label == "tiny/1"
    labelled = serving.registry.states()["tiny"].labels["proven"]
    assert (labelled.version, labelled.problem) == (2, why)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"version": "../single/1"}, id="a path"),
        pytest.param({"version": "1\0"}, id="no path"),
        pytest.param({"version": [1]}, id="a list"),
        pytest.param({"version": True}, id="a boolean"),
        pytest.param({"manifest_sha256": [1]}, id="a list for a digest"),
    ],
)
def test_a_label_of_something_else_is_refused_and_the_model_is_answered(
    keeper: Keeper, said: dict[str, object]
) -> None:
    """Whoever can write there can seal it. Nothing else was taken over while it lay there."""
    content = {"label": "proven", "version": 1, "manifest_sha256": "0" * 64}
    (keeper.root / "tiny" / "label-proven").write_bytes(sealed(content | said))
    watched = Watched(keeper.root)

    watched.refresh()

    why = "label proven: the file of its label proven is damaged"
    assert LoadEvent("tiny", None, "refused", why) in watched.told
    assert watched.label == "tiny/3"
    with pytest.raises(StoreError, match="its label proven is damaged"):
        keeper.prune("tiny", 1)


@pytest.mark.parametrize("what", ["label", "version"])
def test_a_label_that_cannot_be_used_at_a_start_is_not_ready_and_the_model_is(
    keeper: Keeper, what: str
) -> None:
    keeper.set_label("tiny", "canary", 1)
    if what == "label":
        (keeper.root / "tiny" / "label-canary").write_bytes(b"damaged")
    else:
        damage(keeper, 1)
    watched = Watched(keeper.root, shares={"tiny": 1.0})

    watched.refresh()

    with pytest.raises(NotReady, match="the version of 'tiny' labelled 'canary': "):
        watched.registry.labelled("tiny", "canary")
    assert watched.registry.lineup("tiny").for_request("any").label == "tiny/3"


def test_labels_that_cannot_be_read_keep_what_they_stood_for(
    keeper: Keeper, serving: Watched
) -> None:
    keeper.set_label("tiny", "proven", 1)
    serving.refresh()
    (keeper.root / "tiny" / "label-proven").write_bytes(b"damaged")

    serving.refresh()

    assert serving.registry.labelled("tiny", "proven").label == "tiny/1"
    assert keeper.versions("tiny") == [1, 2, 3]


def test_when_the_folder_vanishes_labels_go_on_from_memory(
    keeper: Keeper, serving: Watched
) -> None:
    keeper.set_label("tiny", "proven", 1)
    serving.refresh()
    keeper.root.rename(keeper.root.with_name("gone"))

    serving.refresh()

    assert serving.registry.labelled("tiny", "proven").label == "tiny/1"
    assert [each.change for each in serving.changed] == ["labelled"]


def test_a_start_without_a_readable_pointer_serves_what_was_current_last(keeper: Keeper) -> None:
    keeper.rollback("tiny")
    (keeper.root / "tiny" / "current").write_bytes(b"damaged")
    watched = Watched(keeper.root)

    watched.refresh()

    assert watched.label == "tiny/2"


def test_a_start_with_a_refused_version_serves_what_was_current_before_it(keeper: Keeper) -> None:
    keeper.activate("tiny", 1)
    damage(keeper, 1)
    watched = Watched(keeper.root)

    watched.refresh()

    assert watched.label == "tiny/3"


def test_the_versions_served_never_go_back_but_by_a_rollback(
    keeper: Keeper, serving: Watched
) -> None:
    """Publishes, good and bad, and pointers that break for a moment."""
    answered = []
    for turn in range(8):
        publish(keeper.root, seed=turn)
        serving.refresh()
        answered.append(serving.registry.get().manifest.version)
        pointer = keeper.root / "tiny" / "current"
        data = pointer.read_bytes()
        for broken in (b"", b"damaged", data[:-1]):
            pointer.write_bytes(broken)
            serving.refresh()
            answered.append(serving.registry.get().manifest.version)
        pointer.write_bytes(data)

    assert answered == sorted(answered)


@pytest.fixture
def counted() -> Iterator[None]:
    """Has `held` look at what a test makes, and not at all else that this process has."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def held(name: str) -> int:
    """How many models of this name were made and are in memory."""
    gc.collect()
    found = (each for each in gc.get_objects() if isinstance(each, Model))
    return sum(each.manifest.name == name for each in found)


@pytest.mark.usefixtures("counted")
def test_at_most_two_models_a_name_are_in_memory_beside_the_labelled_ones(
    tmp_path: Path,
) -> None:
    root, most = tmp_path / "counted", []
    keeper = Keeper(root)
    publish(root, "counted")
    # A version that was just loaded is told of while what it takes over from still serves.
    registry = Registry(Reader(root), None, lambda _: most.append(held("counted")))
    registry.refresh()

    for turn in range(1, 6):
        publish(root, "counted", seed=turn)
        registry.get("counted", max(turn - 1, 1))
        registry.refresh()
    assert len(most) == 10
    assert max(most) == 2

    keeper.set_label("counted", "canary", 1)
    keeper.set_label("counted", "shadow", 2)
    registry.refresh()
    registry.get("counted", 3)
    assert held("counted") == 4

    keeper.remove_label("counted", "canary")
    keeper.remove_label("counted", "shadow")
    registry.refresh()
    assert held("counted") == 2


def test_a_version_is_let_go_when_another_takes_over(keeper: Keeper, serving: Watched) -> None:
    before = weakref.ref(serving.registry.get())

    keeper.activate("tiny", 1)
    serving.refresh()
    gc.collect()

    assert before() is None
