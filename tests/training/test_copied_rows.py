"""train.py on tables in which rows are there more than once: what is told, and what that proves."""

import numpy as np
import pytest

from tests.training.retraining import Columns, Workshop, columns, joined, part

TABLE = columns(400)
MORE = columns(200, seed=1)

TOGETHER = "they are kept together in cross-validation"


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
    ("rows", "said"),
    [
        (joined(*[part(TABLE, 0, 60)] * 5), "300 rows"),
        (joined(*[part(TABLE, 0, 60)] * 9), "60 different rows"),
        (joined(TABLE, *[part(TABLE, 0, 10)] * 200), "what is worth 14 rows"),
    ],
    ids=["each five times", "each nine times", "few of them very often"],
)
def test_a_table_that_grew_by_copies_alone_is_as_small_as_it_was(
    trained: Workshop, rows: Columns, said: str
) -> None:
    ran = trained.train(rows)

    assert (ran.code, trained.current) == (3, 1)
    assert f"trained on {said} and version 1 on 400, and they" in ran.err


def idle(rows: int, seed: int = 0) -> Columns:
    """A table of as many rows, of every second of which nothing but zeros was measured."""
    table = columns(rows, seed)
    return {
        name: [value if place % 2 else 0.0 for place, value in enumerate(values)]
        for name, values in table.items()
    }


def test_an_export_of_idle_rows_that_was_cut_short_is_not_promoted(shop: Workshop) -> None:
    shop.train(idle(4000))

    ran = shop.train(part(idle(4000), 0, 100))

    assert (ran.code, shop.current) == (3, 1)
    assert "trained on 100 rows and version 1 on 4000" in ran.err


@pytest.mark.parametrize("rows", [1000, 8000])
def test_the_same_idle_rows_again_are_as_good_as_they_were(shop: Workshop, rows: int) -> None:
    shop.train(idle(rows))

    ran = shop.train(idle(rows))

    assert (ran.code, ran.err, shop.current) == (0, "", 2)
    assert TOGETHER not in ran.out


def test_few_values_are_measured_on_and_predicted_from_their_like(shop: Workshop) -> None:
    draw = np.random.default_rng(0)
    kind, flag = draw.integers(0, 5, 2000), draw.integers(0, 2, 2000)
    score = np.clip(np.round(1 + 0.6 * kind + flag + draw.normal(0, 0.6, 2000)), 1, 5)
    table = {"kind": ["abcde"[k] for k in kind], "flag": flag.tolist(), "y": score.tolist()}

    ran = shop.train(table)

    assert (ran.code, ran.err) == (0, "")
    r2 = shop.reader.open("t", 1).manifest.description.metrics["r2"]
    assert r2["pooled"] == pytest.approx(r2["mean"], abs=0.02)
    assert r2["std"] < 0.1


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
