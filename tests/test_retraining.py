"""Retraining on a schedule: `--if-changed` does nothing where there is nothing to do."""

from collections.abc import Callable
from pathlib import Path

import pytest

import train
from app.store import Keeper
from tests.training.retraining import Workshop, columns, joined, part

ROOT = Path(__file__).resolve().parents[1]
TABLE = {"id": list(range(400)), **columns(400)}
MORE = {"id": list(range(400, 600)), **columns(200, seed=1)}


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Workshop:
    """A folder with version 1, trained as on a schedule: with --if-changed from the start."""
    shop = Workshop(tmp_path, capsys)
    assert shop.train(TABLE, "--if-changed").code == 0
    assert shop.versions == [1]
    return shop


def state(shop: Workshop) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in shop.models.rglob("*") if path.is_file()}


def test_the_same_data_with_the_same_options_are_skipped_and_nothing_is_written(
    shop: Workshop,
) -> None:
    before = state(shop)

    ran = shop.train(TABLE, "--if-changed")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "Unchanged: version 1 was trained on these data with these options\n"
    assert state(shop) == before


def test_without_the_option_the_same_data_are_trained_on_again(shop: Workshop) -> None:
    shop.train(TABLE)

    assert (shop.versions, shop.current) == ([1, 2], 2)


def test_the_built_in_data_are_skipped_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = ["--models", str(tmp_path / "models")]
    train.main(models)
    capsys.readouterr()

    assert train.main([*models, "--if-changed"]) == 0
    assert capsys.readouterr().out.startswith("Unchanged: version 1 ")


def test_a_table_that_changed_by_a_byte_is_trained_on(shop: Workshop) -> None:
    table = {**TABLE, "a": [*TABLE["a"][:-1], 0.125]}

    ran = shop.train(table, "--if-changed")

    assert (ran.code, shop.versions) == (0, [1, 2])


@pytest.mark.parametrize(
    "options",
    [
        ("--seed", "1"),
        ("--folds", "5"),
        ("--drop", "c"),
        ("--keep", "id"),
    ],
    ids=" ".join,
)
def test_each_option_that_the_model_depends_on_counts(
    shop: Workshop, options: tuple[str, ...]
) -> None:
    shop.train(TABLE, "--if-changed", *options)

    assert shop.versions == [1, 2]


def test_another_target_counts(shop: Workshop) -> None:
    shop.train(TABLE, "--if-changed", target="b")

    assert shop.versions == [1, 2]


def test_the_order_in_which_columns_are_named_does_not_count(shop: Workshop) -> None:
    shop.train(TABLE, "--drop", "a", "b", "--promote", "always")

    ran = shop.train(TABLE, "--if-changed", "--drop", "b", "a")

    assert ran.out.startswith("Unchanged: version 2 ")


def test_a_candidate_is_not_published_again_each_night(shop: Workshop) -> None:
    assert shop.train(part(TABLE, 0, 60), "--if-changed").code == 3
    before = state(shop)

    ran = shop.train(None, "--if-changed")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(
        "Unchanged: version 2 was trained on these data with these options, and is a candidate: "
        "it was trained on 60 rows and version 1 on 400"
    )
    assert state(shop) == before


@pytest.mark.parametrize("options", [("--promote", "always"), ("--margin", "50")], ids=" ".join)
def test_a_candidate_is_judged_again_on_other_terms(
    shop: Workshop, options: tuple[str, ...]
) -> None:
    shop.train(part(TABLE, 0, 60), "--if-changed")

    shop.train(None, "--if-changed", *options)

    assert shop.versions == [1, 2, 3]


def test_a_candidate_is_judged_again_when_another_version_became_current(shop: Workshop) -> None:
    shop.train(part(TABLE, 0, 60))
    shop.train(joined(TABLE, MORE))
    assert shop.current == 3

    shop.train(part(TABLE, 0, 60), "--if-changed")

    assert shop.versions == [1, 2, 3, 4]
    assert shop.promotion(4)["champion"] == 3


@pytest.mark.parametrize("terms", [(), ("--promote", "always")], ids=["as usual", "always"])
def test_what_was_rolled_back_does_not_come_again_by_itself(
    shop: Workshop, terms: tuple[str, ...]
) -> None:
    shop.train(joined(TABLE, MORE))
    assert shop.current == 2
    Keeper(shop.models).rollback("t")
    before = state(shop)

    ran = shop.train(None, "--if-changed", *terms)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "Unchanged: version 2 was trained on these data with these options, and was left for "
        "version 1: activate it if it is to answer\n"
    )
    assert state(shop) == before
    assert shop.train(joined(TABLE, MORE, MORE), "--if-changed").code in (0, 3)
    assert len(shop.versions) == 3


def _break_a_file(shop: Workshop) -> None:
    (shop.models / "t" / "1" / "model.joblib").write_bytes(b"damaged")


def _break_current(shop: Workshop) -> None:
    (shop.models / "t" / "current").write_bytes(b"damaged")


@pytest.mark.parametrize("damage", [_break_a_file, _break_current])
def test_a_version_that_cannot_be_used_is_trained_again(
    shop: Workshop, damage: Callable[[Workshop], None]
) -> None:
    damage(shop)

    ran = shop.train(TABLE, "--if-changed")

    assert (ran.code, shop.current) == (0, 2)
