"""Activating, going back, labelling and letting go: what is chosen stays, whatever its number."""

import os
from pathlib import Path

import pytest

from app.errors import BrokenModel, StoreError, UnknownModel
from app.store import Keeper, Label, Reader
from app.store.history import KEPT
from tests.store.planting import KINDS, plant
from tests.support.descriptors import opened, settles_at
from tests.support.models import publish


@pytest.fixture
def three(root: Path) -> Keeper:
    """A models folder with versions 1, 2 and 3 of `tiny`."""
    publish(root)
    publish(root)
    return Keeper(root)


def current(keeper: Keeper) -> int:
    return keeper.current("tiny").version


def damage(keeper: Keeper, version: int) -> None:
    (keeper.root / "tiny" / str(version) / "model.joblib").write_bytes(b"damaged")


def label_of(keeper: Keeper, label: str) -> Label:
    found = keeper.labels("tiny")[label]
    assert isinstance(found, Label)
    return found


def test_any_version_can_be_made_current_and_what_was_before_is_told(three: Keeper) -> None:
    assert three.activate("tiny", 1) == 3

    assert current(three) == 1
    assert three.activate("tiny", 2) == 1


def test_a_rollback_returns_to_what_was_current_before_whatever_its_number(three: Keeper) -> None:
    three.activate("tiny", 1)

    assert three.rollback("tiny") == (3, 1)
    assert current(three) == 3


def test_each_rollback_goes_one_step_further_back_through_all_that_was_current(
    three: Keeper,
) -> None:
    three.activate("tiny", 1)
    three.activate("tiny", 2)

    returned = [three.rollback("tiny")[0] for _ in range(4)]

    assert returned == [1, 3, 2, 1]
    with pytest.raises(StoreError, match="tiny cannot be rolled back: no other version was curr"):
        three.rollback("tiny")


def test_what_was_rolled_back_from_is_not_returned_to(three: Keeper) -> None:
    three.rollback("tiny")
    publish(three.root)

    assert three.rollback("tiny") == (2, 4)


def test_activating_the_current_version_again_changes_nothing(three: Keeper) -> None:
    three.activate("tiny", 3)
    three.activate("tiny", 3)

    assert three.previous("tiny") == 2


def test_a_rollback_passes_over_versions_that_were_removed(three: Keeper) -> None:
    three.remove("tiny", 2)

    assert three.previous("tiny") == 1
    assert three.rollback("tiny") == (1, 3)


def test_a_rollback_never_makes_a_broken_version_current(three: Keeper) -> None:
    damage(three, 2)

    with pytest.raises(StoreError, match=r"tiny/2 cannot be used: its model\.joblib does not ma"):
        three.rollback("tiny")

    assert current(three) == 3


def test_a_store_from_before_there_was_a_history_says_so_and_begins_one(three: Keeper) -> None:
    (three.root / "tiny" / "history").unlink()
    with pytest.raises(StoreError, match="choose with `models activate tiny/VERSION`"):
        three.rollback("tiny")

    publish(three.root)

    assert three.rollback("tiny") == (3, 4)


def test_a_broken_version_is_neither_made_current_nor_labelled(three: Keeper) -> None:
    damage(three, 1)

    with pytest.raises(StoreError, match="tiny/1 cannot be used"):
        three.activate("tiny", 1)
    with pytest.raises(StoreError, match="tiny/1 cannot be used"):
        three.set_label("tiny", "canary", 1)

    assert current(three) == 3
    assert three.labels("tiny") == {}


@pytest.mark.parametrize("version", [0, 4, 10**9])
def test_a_version_that_does_not_exist_is_neither_made_current_nor_labelled(
    three: Keeper, version: int
) -> None:
    with pytest.raises(StoreError, match=f"there is no version {version} of a model named 'tiny'"):
        three.activate("tiny", version)
    with pytest.raises(StoreError, match=f"there is no version {version}"):
        three.set_label("tiny", "canary", version)


def test_a_label_stands_for_a_version_until_it_is_moved_or_removed(three: Keeper) -> None:
    assert three.set_label("tiny", "canary", 1) is None
    assert three.set_label("tiny", "canary", 2) == 1
    three.set_label("tiny", "shadow", 1)

    found = label_of(three, "canary")
    assert (found.version, found.manifest_sha256) == (2, three.open("tiny", 2).manifest_sha256)
    assert list(three.labels("tiny")) == ["canary", "shadow"]

    three.remove_label("tiny", "canary")

    assert list(three.labels("tiny")) == ["shadow"]
    with pytest.raises(StoreError, match="tiny has no label 'canary'"):
        three.remove_label("tiny", "canary")


@pytest.mark.parametrize(
    "label", ["", "1", "Canary", "a b", "../x", "a/b", "a" * 33, "label\n", "\x1b[31m", "ä"]
)
def test_a_label_that_is_none_is_refused_with_the_rule(three: Keeper, label: str) -> None:
    with pytest.raises(StoreError, match="cannot be a label: use a to z, 0 to 9, _ and -, at most"):
        three.set_label("tiny", label, 1)

    assert three.labels("tiny") == {}


def test_a_labelled_version_is_removed_by_force_alone_and_its_label_with_it(three: Keeper) -> None:
    three.set_label("tiny", "canary", 1)

    with pytest.raises(StoreError, match="version 1 of tiny is labelled canary: label another"):
        three.remove("tiny", 1)
    assert three.versions("tiny") == [1, 2, 3]

    three.remove("tiny", 1, force=True)

    assert (three.versions("tiny"), three.labels("tiny")) == ([2, 3], {})


def test_pruning_keeps_the_newest_and_numbers_are_never_given_again(three: Keeper) -> None:
    for _ in range(3):
        publish(three.root)

    assert three.prune("tiny", 2) == [1, 2, 3, 4]
    assert three.prune("tiny", 2) == []

    assert three.versions("tiny") == [5, 6]
    assert publish(three.root).version == 7


def test_pruning_never_takes_what_is_current_labelled_or_returned_to(three: Keeper) -> None:
    for _ in range(5):
        publish(three.root)
    three.activate("tiny", 3)
    three.activate("tiny", 1)
    three.set_label("tiny", "shadow", 2)

    assert three.prune("tiny", 1) == [4, 5, 6, 7]

    assert three.versions("tiny") == [1, 2, 3, 8]
    assert three.rollback("tiny") == (3, 1)


def test_pruning_spares_what_it_is_told_to_spare(three: Keeper) -> None:
    publish(three.root)

    assert three.prune("tiny", 1, spare=1) == [2]

    assert three.versions("tiny") == [1, 3, 4]


def test_a_candidate_is_no_part_of_what_was_current_until_it_is_activated(three: Keeper) -> None:
    candidate = publish(three.root, promotion={"decision": "candidate"}).version
    publish(three.root)
    assert three.history("tiny") == (1, 2, 3, 5)

    three.activate("tiny", candidate)

    assert three.history("tiny") == (1, 2, 3, 5, 4)
    assert three.rollback("tiny") == (5, 4)


@pytest.mark.parametrize("file", ["current", "history", "label-canary"])
def test_pruning_takes_nothing_while_it_is_not_known_what_is_needed(
    three: Keeper, file: str
) -> None:
    three.set_label("tiny", "canary", 1)
    (three.root / "tiny" / file).write_bytes(b"damaged")

    with pytest.raises(StoreError, match="no version of tiny is removed, because it is not known"):
        three.prune("tiny", 1)

    assert three.versions("tiny") == [1, 2, 3]


def test_the_history_has_an_end_and_is_never_too_long_to_be_read(three: Keeper) -> None:
    for turn in range(KEPT + 5):
        three.activate("tiny", 1 + turn % 2)

    assert len(three.history("tiny")) == KEPT
    assert three.rollback("tiny")[0] == 2


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_a_flipped_bit_in_the_file_of_a_label_is_noticed_wherever_it_is(three: Keeper) -> None:
    three.set_label("tiny", "canary", 1)
    place = three.root / "tiny" / "label-canary"
    data = place.read_bytes()

    for bit in range(len(data) * 8):
        place.write_bytes(flipped(data, bit))
        assert isinstance(three.labels("tiny")["canary"], BrokenModel)


def test_a_flipped_bit_in_the_history_is_noticed_wherever_it_is(three: Keeper) -> None:
    place = three.root / "tiny" / "history"
    data = place.read_bytes()

    for bit in range(len(data) * 8):
        place.write_bytes(flipped(data, bit))
        with pytest.raises(BrokenModel, match="its history is damaged"):
            three.history("tiny")


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_stands_in_the_place_of_the_file_of_a_label_is_told_and_never_waited_for(
    three: Keeper, outside: Path, kind: str
) -> None:
    three.set_label("tiny", "canary", 1)
    plant(three.root / "tiny" / "label-canary", kind, outside)
    before = opened()

    found = three.labels("tiny").get("canary")

    if kind == "nothing":
        assert found is None
    else:
        assert isinstance(found, BrokenModel)
        assert found.message.startswith("the file of its label canary ")
        assert found.message.isprintable()
        assert "/" not in found.message
    assert settles_at(before)


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_stands_in_the_place_of_the_history_is_told_and_never_waited_for(
    three: Keeper, outside: Path, kind: str
) -> None:
    plant(three.root / "tiny" / "history", kind, outside)

    if kind == "nothing":
        assert three.history("tiny") == ()
        return
    with pytest.raises(BrokenModel, match="its history") as caught:
        three.history("tiny")

    assert caught.value.message.isprintable()
    assert "/" not in caught.value.message


@pytest.mark.parametrize("content", [b"[]", b"{}", b"null", b'{"sha256":1}', b"\xff", b""])
def test_a_sealed_file_that_holds_something_else_is_damaged(three: Keeper, content: bytes) -> None:
    three.set_label("tiny", "canary", 1)
    for file in ("label-canary", "history"):
        (three.root / "tiny" / file).write_bytes(content)

    assert isinstance(three.labels("tiny")["canary"], BrokenModel)
    with pytest.raises(BrokenModel, match="its history is damaged"):
        three.history("tiny")


def test_a_damaged_history_stops_a_rollback_and_is_begun_anew_by_an_activation(
    three: Keeper,
) -> None:
    (three.root / "tiny" / "history").write_bytes(b"damaged")
    with pytest.raises(StoreError, match="cannot be rolled back: the file of its history is dama"):
        three.rollback("tiny")

    three.activate("tiny", 1)

    assert three.rollback("tiny") == (3, 1)


def test_the_file_of_one_label_does_not_pass_for_that_of_another(three: Keeper) -> None:
    three.set_label("tiny", "shadow", 1)
    folder = three.root / "tiny"
    (folder / "label-canary").write_bytes((folder / "label-shadow").read_bytes())

    found = three.labels("tiny")["canary"]

    assert isinstance(found, BrokenModel)
    assert found.message == "the file of its label canary is that of another label"


def test_what_is_not_quite_a_label_is_none(three: Keeper) -> None:
    for name in ("label-", "label-UP", "label-a.b", "labels", "label-" + "a" * 33):
        (three.root / "tiny" / name).write_bytes(b"{}")

    assert three.labels("tiny") == {}
    with pytest.raises(UnknownModel):
        Reader(three.root).labels("nobody")


def test_a_fingerprint_differs_after_any_change_and_reads_nothing(three: Keeper) -> None:
    place = three.root / "tiny" / "1" / "model.joblib"
    before = three.fingerprint("tiny", 1)
    assert three.fingerprint("tiny", 1) == before

    data = place.read_bytes()
    place.write_bytes(data)
    os.utime(place, ns=(1, 1))

    assert three.fingerprint("tiny", 1) != before
    assert three.fingerprint("tiny", 9) == ()
