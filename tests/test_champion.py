"""The champion: found whatever state it is in, and again if it changed meanwhile."""

from dataclasses import replace
from typing import Any

import pytest

import train
from app.store import Store
from app.training.promotion import record
from app.training.rows import ROWS_FILE
from tests.support.models import PLAIN, publish
from tests.training.retraining import Ran, Workshop, columns, part

TABLE = columns(400)


@pytest.fixture
def trained(shop: Workshop) -> Workshop:
    """The same with version 1, trained on 400 rows."""
    assert shop.train(TABLE).code == 0
    return shop


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("1/model.joblib", "version 1 cannot be used: its model.joblib does not match the digest"),
        ("1/rows.bin", "version 1 cannot be used: its rows.bin does not match the digest"),
        ("1/manifest.json", "version 1 cannot be used: its manifest cannot be read"),
        ("current", "the current version cannot be used: its current file is damaged"),
    ],
)
def test_a_broken_champion_does_not_stand_in_the_way(
    trained: Workshop, file: str, says: str
) -> None:
    place = trained.models / "t" / file
    place.write_bytes(b"x" * place.stat().st_size)

    ran = trained.train(TABLE)

    assert (ran.code, ran.err, trained.current) == (0, "", 2)
    assert f"Promoted: {says}" in ran.out


PLAIN_TABLE = dict(zip([*PLAIN.names, "weight"], columns(120, seed=4).values(), strict=False))
PLAIN_TABLE["weight"] = columns(120, seed=4)["y"]


def ran_beside(shop: Workshop) -> Ran:
    """Train on a table for the model that `publish` makes, whose units a CSV does not name."""
    opened = shop.reader.open("t", 1)
    assert ROWS_FILE not in opened.files
    return shop.train(PLAIN_TABLE, "--promote", "always", target="weight")


def test_a_champion_of_before_there_was_rows_bin_is_refitted(shop: Workshop) -> None:
    publish(shop.models, "t", PLAIN)

    ran_beside(shop)

    assert {*shop.comparisons(2)} == {"refitted"}
    assert shop.promotion(2)["not_compared"] == {
        "as is": "it does not say which rows it was trained on"
    }


def test_a_champion_of_other_libraries_is_refitted(shop: Workshop) -> None:
    publish(shop.models, "t", PLAIN, libraries={"python": "2.7"})

    ran_beside(shop)

    assert {*shop.comparisons(2)} == {"refitted"}
    assert (
        "it cannot be used here: it was trained with python 2.7"
        in (shop.promotion(2)["not_compared"]["as is"])
    )


def test_a_champion_by_another_estimator_cannot_be_refitted(shop: Workshop) -> None:
    made = publish(shop.models, "u", PLAIN)
    files = shop.reader.open("u", 1).files
    Store(shop.models).publish("t", replace(made.description, estimator="Oracle"), files)

    ran_beside(shop)

    assert shop.promotion(2)["not_compared"]["refitted"] == (
        "no recipe is known for its estimator 'Oracle'"
    )


def test_a_version_that_was_activated_by_hand_is_the_champion(trained: Workshop) -> None:
    trained.train(part(TABLE, 0, 60))
    opened = trained.reader.open("t", 2)
    Store(trained.models).publish("t", opened.manifest.description, opened.files)

    ran = trained.train(TABLE)

    assert (ran.code, trained.current) == (0, 4)
    assert trained.promotion(4)["champion"] == 3


def test_a_version_that_became_current_during_a_comparison_is_the_one_to_compare_with(
    trained: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = trained.reader.open("t", 1)

    def another_publishes(done: int, total: int) -> None:
        if (done, total) == (50, 100) and trained.current == 1:
            Store(trained.models).publish("t", first.manifest.description, first.files)

    monkeypatch.setattr(train, "progress", another_publishes)
    ran = trained.train(TABLE)

    assert (ran.code, trained.current) == (0, 3)
    assert trained.promotion(3)["champion"] == 2
    assert "Compared with version 2" in ran.out


@pytest.mark.parametrize("is_first", [False, True])
def test_nothing_becomes_current_without_a_comparison_with_what_is(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, is_first: bool
) -> None:
    """Another version is made current in the last moment: by hand, or by a first run beside."""
    other = Workshop(shop.folder / "other", shop.capture)
    other.folder.mkdir()
    other.train(part(TABLE, 0, 300), target="a")
    opened = other.reader.open("t", 1)
    if not is_first:
        shop.train(TABLE)
    before = len(shop.versions)

    def in_the_last_moment(*given: Any) -> dict[str, Any]:
        if len(shop.versions) == before:
            Store(shop.models).publish("t", opened.manifest.description, opened.files)
        return record(*given)

    monkeypatch.setattr(train, "record", in_the_last_moment)
    ran = shop.train(TABLE)

    assert (ran.code, shop.current) == (3, before + 1)
    assert shop.promotion(before + 2)["champion"] == before + 1
    assert "the target is 'y' and was 'a'" in ran.err
