"""Removing: never the current version by accident, and no number is given twice."""

from pathlib import Path

import pytest

from app.errors import StoreError, UnknownModel
from app.files import TEMPORARY
from app.store import Reader, Store
from tests.store.planting import plant
from tests.support.models import publish


@pytest.fixture
def three(root: Path) -> Path:
    """A models folder with versions 1, 2 and 3 of `tiny`."""
    publish(root)
    publish(root)
    return root


def test_an_old_version_is_removed_and_the_current_one_stays(three: Path) -> None:
    current = Store(three).remove("tiny", 1)

    assert current == 3
    assert Reader(three).versions("tiny") == [2, 3]
    assert [path for path in three.rglob("*") if path.name.startswith(TEMPORARY)] == []


def test_the_current_version_is_not_removed(three: Path) -> None:
    with pytest.raises(StoreError, match="version 3 of tiny is the current one"):
        Store(three).remove("tiny", 3)

    assert Reader(three).versions("tiny") == [1, 2, 3]


def test_the_current_version_is_removed_by_force_and_the_newest_good_one_takes_over(
    three: Path,
) -> None:
    (three / "tiny" / "2" / "model.joblib").write_bytes(b"damaged")

    current = Store(three).remove("tiny", 3, force=True)

    assert current == 1
    assert Reader(three).current("tiny").version == 1
    assert Reader(three).versions("tiny") == [1, 2]


def test_a_candidate_takes_over_only_where_nothing_else_is_left(root: Path) -> None:
    publish(root, promotion={"decision": "candidate"})
    publish(root)

    assert Store(root).remove("tiny", 3, force=True) == 1
    assert Store(root).remove("tiny", 1, force=True) == 2


def test_the_last_version_is_removed_by_force_and_the_model_is_gone(root: Path) -> None:
    assert Store(root).remove("tiny", 1, force=True) is None

    assert Reader(root).names() == []
    assert Reader(root).versions("tiny") == []
    with pytest.raises(UnknownModel):
        Reader(root).current("tiny")


def test_the_number_of_a_removed_version_is_never_given_again(three: Path) -> None:
    store = Store(three)
    for version in (3, 2, 1):
        store.remove("tiny", version, force=True)

    assert publish(three).version == 4


def test_while_it_is_not_known_which_version_is_current_none_is_removed_without_force(
    three: Path,
) -> None:
    (three / "tiny" / "current").write_bytes(b"damaged")

    with pytest.raises(StoreError, match="not known which version of tiny is current"):
        Store(three).remove("tiny", 1)

    assert Store(three).remove("tiny", 1, force=True) == 3
    assert Reader(three).current("tiny").version == 3


@pytest.mark.parametrize(
    ("name", "version"), [("tiny", 9), ("tiny", 0), ("tiny", -1), ("nobody", 1)]
)
def test_what_does_not_exist_cannot_be_removed_and_nothing_is_made(
    root: Path, name: str, version: int
) -> None:
    with pytest.raises(StoreError, match=f"there is no version {version} of a model named"):
        Store(root).remove(name, version, force=True)

    assert sorted(path.name for path in root.iterdir()) == ["default", "tiny"]


@pytest.mark.parametrize("kind", ["empty", "link", "fifo"])
def test_what_only_looks_like_a_version_can_be_removed(
    root: Path, outside: Path, kind: str
) -> None:
    plant(root / "tiny" / "7", kind, outside)

    Store(root).remove("tiny", 7)

    assert Reader(root).versions("tiny") == [1]
    assert [path for path in root.rglob("*") if path.name.startswith(TEMPORARY)] == []
