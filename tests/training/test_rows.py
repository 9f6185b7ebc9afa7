"""rows.bin: no row that was trained on passes for new, and no guess at one is confirmed."""

import numpy as np
import pytest

from app.training.rows import bitmap, unseen
from tests.training.tables import dataset

DRAW = np.random.default_rng(0)


def rows(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return draw.normal(size=(count, 3)), draw.normal(size=count)


@pytest.mark.parametrize("count", [1, 2, 7, 100, 1023, 1025])
def test_no_row_that_was_trained_on_passes_for_new(count: int) -> None:
    x, y = rows(count)

    assert not unseen(bitmap(x, y), x, y).any()


@pytest.mark.parametrize("count", [50, 1000, 1024, 5000])
def test_of_the_rows_that_are_new_most_are_known_to_be(count: int) -> None:
    x, y = rows(4000, seed=1)

    assert unseen(bitmap(*rows(count)), x, y).mean() > 0.85


@pytest.mark.parametrize("count", [50, 1000, 1024, 5000])
def test_a_guess_is_not_confirmed_since_many_a_row_that_never_was_looks_the_same(
    count: int,
) -> None:
    x, y = rows(4000, seed=1)

    assert (~unseen(bitmap(*rows(count)), x, y)).mean() > 0.04


def test_versions_of_the_same_rows_tell_no_more_together_than_one() -> None:
    x, y = rows(3000)

    assert bitmap(x, y) == bitmap(x, y)


def test_versions_of_a_growing_table_narrow_a_guess_down_by_no_more_than_the_growth() -> None:
    x, y = rows(3000)
    others, targets = rows(20_000, seed=1)

    grown = [bitmap(x[:count], y[:count]) for count in (1000, 1300, 1700, 2200, 3000)]
    once, at_all = (
        np.all([~unseen(each, others, targets) for each in versions], axis=0).mean()
        for versions in (grown[-1:], grown)
    )

    # Independent bitmaps would leave less than a hundredth of a hundredth.
    assert at_all > once / 4


def test_a_row_is_the_same_whatever_stands_for_nothing_in_it() -> None:
    other_nan = np.frombuffer(b"\x01\x00\x00\x00\x00\x00\xf8\xff", "<f8")[0]
    seen = bitmap(np.array([[0.0, np.nan]]), np.array([1.0]))

    assert not unseen(seen, np.array([[-0.0, other_nan]]), np.array([1.0])).any()


def test_a_row_with_another_target_is_another_row() -> None:
    x, y = rows(1000)

    assert unseen(bitmap(x, y), x, y + 1).mean() > 0.85


def test_order_and_missing_values_do_not_matter() -> None:
    data = dataset(missing=True)
    order = DRAW.permutation(len(data.y))

    assert bitmap(data.x, data.y) == bitmap(data.x[order], data.y[order])
    assert not unseen(bitmap(data.x, data.y), data.x[order], data.y[order]).any()


def test_it_takes_a_byte_or_two_for_each_row() -> None:
    sizes = {count: len(bitmap(*rows(count))) for count in (442, 1024, 100_000)}

    assert all(count <= size <= 2 * count for count, size in sizes.items())


def test_copies_of_a_row_make_it_no_larger_so_that_a_guess_is_not_confirmed() -> None:
    x, y = rows(60)
    often = np.repeat(np.arange(60), 50)

    assert bitmap(x[often], y[often]) == bitmap(x, y)


def test_it_is_bounded_and_still_lets_no_old_row_pass_for_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.training.rows.MAX_BITS", 1 << 12)
    x, y = rows(5000)
    others, targets = rows(5000, seed=1)

    seen = bitmap(x, y)

    assert len(seen) == (1 << 12) / 8
    assert not unseen(seen, x, y).any()
    assert 0.2 < unseen(seen, others, targets).mean() < 0.4
