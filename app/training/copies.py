"""Rows that are copies of one another, as a join makes them that multiplies rows.

Copies are one observation, however often it is written down. Where one of them is trained on and
another tested on, what is measured is how well rows are remembered. So a group of copies stays in
one fold, and where it takes a number of rows to tell something, groups are counted. Within a fold,
in fitting and in measuring, each copy counts: how often a row is written down is its weight.

Rows are copies if all features and the target are equal. Equal features with another target are
not enough: that is what independent rows look like where features take few values, and kept
together they would never be predicted from their like, as they will be in use. For the same reason
equal rows are no copies where they may well be equal by chance, or are a state that comes back.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

RECURRING = 20
"""A row that is there so many times more often than most is no copy, as a join would make it, but a
state that comes back: a machine that is off, a closed day. It will come back in use as well."""

FEW_VALUES = 20
"""Where no column has more than so many different values, and one for every second of the different
rows, independent rows may be equal by chance."""


def exact(x: Array, y: Array) -> Array:
    """Rows with their targets, float64 of shape (n, p + 1): equal rows have equal bytes.

    Args:
        x, y: of shape (n, p) and (n,); a missing value, NaN, equals another.
    """
    rows: Array = np.column_stack([x, y]).astype("<f8") + 0.0  # -0.0 is 0.0
    rows[np.isnan(rows)] = np.nan  # whatever its bits were
    return rows


def equal(x: Array, y: Array) -> Rows:
    """For each of n rows a number that it shares with its equals, from 0 as they first appear."""
    rows = exact(x, y)
    return _numbered(rows.view(np.dtype((np.void, rows.strides[0]))).ravel())


def groups(x: Array, y: Array) -> Rows:
    """For each of n rows the number of its group of copies, from 0 as they first appear.

    Where no row is a copy, these are 0 to n - 1.
    """
    alike = equal(x, y)
    sizes, every = np.bincount(alike), np.arange(len(alike))
    if len(sizes) == len(alike) or not _tells_apart(x, y, alike):
        return every
    comes_back = (sizes > RECURRING * np.median(sizes))[alike]
    return _numbered(np.where(comes_back, len(sizes) + every, alike))


def _tells_apart(x: Array, y: Array, alike: Rows) -> bool:
    """Whether a column takes so many values that independent rows would differ in it."""
    _, first = np.unique(alike, return_index=True)
    columns = (y, *x.T)
    most = max(FEW_VALUES, len(first) // 2)
    return any(len(np.unique(column[first])) > most for column in columns)


def _numbered(keys: NDArray[Any]) -> Rows:
    """Numbers for these keys, the same for equal ones, from 0 as they first appear."""
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    number = np.empty(len(first), dtype=np.intp)
    number[np.argsort(first)] = np.arange(len(first))
    found: Rows = number[group.ravel()]
    return found


def count(group: Rows) -> int:
    """How many different rows there are."""
    return int(group.max()) + 1


def effective(group: Rows) -> float:
    """How many rows of equal weight would tell as much as these groups, whose sizes are weights.

    (sum of sizes)² / (sum of squared sizes): the number of groups if all are of one size, else
    fewer. Source: Kish (1992), Weighting for Unequal P_i, Journal of Official Statistics 8,
    183-200.
    """
    sizes = np.bincount(group).astype(np.float64)
    return float(np.square(sizes.sum()) / np.square(sizes).sum())


def noun(different: int, rows: int) -> str:
    """What is counted: rows, as long as all of them are different."""
    return "rows" if different == rows else "different rows"


def parted(group: Rows, tested: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """Rows to train on and rows to test on, by whether their group is tested on."""
    held_out = tested[group]
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)
