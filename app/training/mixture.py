"""Rows that are nobody's: each value is of a table, together they stand in no row of it."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray

TRIES = 1000
"""How many exchanges of a value are tried to move what is still a row of the table."""

Array = NDArray[np.float64]
Origins = NDArray[np.intp]
"""For each value of a mixture the place of the drawn row that it comes from."""


def mixture(x: Array, drawn: Sequence[int], seed: int) -> Array:
    """Mix the values of m rows of a table, and leave out what is a row of it all the same.

    Where nothing would be left, as with one column or where all combinations occur, all m stay:
    their values cannot stand together in any way that is new.

    Args:
        x: the table, shape (n, p).
        drawn: the places of the m rows in it, at most 256.
        seed: of the exchanges by which rows of the table become others.

    Returns:
        Shape (k, p), k from 1 to m. The first row has the fewest missing values.
    """
    values = x[drawn]
    codes, known = _coded(x, values)
    every = np.arange(x.shape[1])

    def occurs(row: Origins) -> bool:
        return codes[row, every].tobytes() in known

    origins = mixed(values)
    _exchange(origins, np.isnan(values), occurs, np.random.default_rng(seed))
    left = [row for row in origins if not occurs(row)] or list(origins)
    rows: Array = values[np.array(left), every]
    first = int(np.isnan(rows).sum(axis=1).argmin())
    rows[[0, first]] = rows[[first, 0]]
    return rows


def mixed(x: Array) -> Origins:
    """Where each value comes from if each column moves down by one row more than the last.

    Of m rows with p columns, no row of the result has more than p/m values, rounded up, that stood
    together before; where it has a missing value to give away, the first has one more.
    """
    rows, columns = x.shape
    moved: Origins = (np.arange(rows)[:, None] - np.arange(columns)) % rows
    for column, origins in zip(x.T, moved.T, strict=True):
        there = np.flatnonzero(~np.isnan(column[origins]))
        if there.size:
            origins[[0, there[0]]] = origins[[there[0], 0]]
    return moved


def _coded(x: Array, values: Array) -> tuple[NDArray[np.uint8], AbstractSet[bytes]]:
    """Values as their places among those of their column; so written, all rows made of them."""
    levels = [np.unique(column) for column in values.T]  # a missing value once, and last
    rows = np.arange(len(x))
    for place, level in enumerate(levels):
        column = x[rows, place]
        missing = np.isnan(column) & np.isnan(level[-1])
        rows = rows[np.isin(column, level) | missing]
    known, width = _places(x[rows], levels).tobytes(), len(levels)
    return _places(values, levels), {
        known[start : start + width] for start in range(0, len(known), width)
    }


def _places(x: Array, levels: Sequence[Array]) -> NDArray[np.uint8]:
    return np.column_stack(
        [
            np.searchsorted(level, column).astype(np.uint8)
            for level, column in zip(levels, x.T, strict=True)
        ]
    )


def _exchange(
    origins: Origins,
    gaps: NDArray[np.bool_],
    occurs: Callable[[Origins], bool],
    generator: np.random.Generator,
) -> None:
    """Let rows that occur in the table exchange single values with others until none does.

    No exchange makes more rows occur, brings together more of what stood in one row than has to
    be, or gives the first row a missing value: it serves as the example.
    """
    rows, columns = origins.shape
    occurring = np.array([occurs(row) for row in origins])
    for _ in range(TRIES):
        if not occurring.any():
            return
        one = generator.choice(np.flatnonzero(occurring))
        other, place = generator.integers([rows, columns])
        pair = np.array([one, other])
        before, after = origins[pair], origins[pair]
        after[:, place] = before[::-1, place]
        found = [occurs(row) for row in after]
        more_gaps = 0 in pair and gaps[after[pair == 0, place], place].any()
        parted = _together(after) <= max(_together(before), -(-columns // rows))
        if sum(found) <= occurring[pair].sum() and parted and not more_gaps:
            origins[pair], occurring[pair] = after, found


def _together(origins: Origins) -> int:
    """The most values that any of these rows has from one row."""
    return max(int(np.bincount(row).max()) for row in origins)
