"""train.py on tables in which rows are there more than once: what is told, and what that proves."""

from pathlib import Path

import pytest

from tests.training.retraining import Columns, Workshop, columns, joined, part

TABLE = columns(400)
MORE = columns(200, seed=1)

TOGETHER = "they are kept together in cross-validation"


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Workshop:
    """A folder in which nothing was trained yet."""
    return Workshop(tmp_path, capsys)


@pytest.fixture
def trained(shop: Workshop) -> Workshop:
    """The same with version 1, trained on 400 different rows."""
    assert shop.train(TABLE).code == 0
    return shop


@pytest.mark.parametrize(
    ("copied", "said", "worth"),
    [
        (part(TABLE, 0, 1), "1 of 61 rows is a copy of another", 59),
        (part(TABLE, 0, 60), "60 of 120 rows are copies of others", 60),
        (part(TABLE, 0, 30), "30 of 90 rows are copies of others", 54),
    ],
    ids=["one", "all", "half"],
)
def test_copies_are_told_and_counted_in_the_manifest(
    shop: Workshop, copied: Columns, said: str, worth: int
) -> None:
    rows = joined(part(TABLE, 0, 60), copied)

    ran = shop.train(rows)

    training = shop.reader.open("t", 1).manifest.description.training
    assert (ran.code, ran.err) == (0, "")
    assert f"  {said}: {TOGETHER}\n" in ran.out
    assert (training["rows"], training["different_rows"]) == (len(rows["y"]), 60)
    assert training["effective_rows"] == worth


def test_nothing_is_told_where_there_are_none(shop: Workshop) -> None:
    ran = shop.train(TABLE)

    training = shop.reader.open("t", 1).manifest.description.training
    assert TOGETHER not in ran.out
    assert training["rows"] == training["different_rows"] == training["effective_rows"] == 400


@pytest.mark.parametrize(
    ("rows", "worth"),
    [
        (joined(*[part(TABLE, 0, 60)] * 5), 60),
        (joined(TABLE, *[part(TABLE, 0, 10)] * 200), 14),
    ],
    ids=["each five times", "few of them very often"],
)
def test_a_table_that_grew_by_copies_alone_is_as_small_as_it_was(
    trained: Workshop, rows: Columns, worth: int
) -> None:
    ran = trained.train(rows)

    assert (ran.code, trained.current) == (3, 1)
    assert f"trained on what is worth {worth} rows and version 1 on 400, and they" in ran.err


def test_the_same_table_twice_over_is_as_good_as_it_was(trained: Workshop) -> None:
    ran = trained.train(joined(TABLE, TABLE))

    assert (ran.code, ran.err, trained.current) == (0, "", 2)


def test_new_rows_are_counted_once_however_often_they_are_there(trained: Workshop) -> None:
    trained.train(joined(TABLE, *[part(MORE, 0, 60)] * 5))

    why = trained.promotion(2)["not_compared"]["as is"]
    new, rest = why.split(" ", 1)
    assert 40 < int(new) <= 60
    assert rest == "of 460 different rows are new to it and not refused by it, 100 are needed"


def test_new_rows_that_are_copied_are_compared_all_the_same(trained: Workshop) -> None:
    ran = trained.train(joined(TABLE, MORE, part(MORE, 0, 100)))

    assert (ran.code, trained.current) == (0, 2)
    assert 240 < trained.comparisons(2)["as is"]["rows"] <= 300
