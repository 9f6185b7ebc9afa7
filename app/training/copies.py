"""Rows that are copies of one another, as a join makes them that multiplies rows.

Copies are one observation, however often it is written down. Where one of them is trained on and
another tested on, what is measured is how well rows are remembered. So a group of copies stays in
one fold, and where it takes a number of rows to tell something, groups are counted. Within a fold,
in fitting and in measuring, each copy counts: how often a row is written down is its weight.

Rows are copies if all features and the target are equal. Equal features with another target are
not enough: that is what independent rows look like where features take few values, and kept
together they would never be predicted from their like, as they will be in use.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


def exact(x: Array, y: Array) -> Array:
    """Rows with their targets, float64 of shape (n, p + 1): equal rows have equal bytes.

    Args:
        x, y: of shape (n, p) and (n,); a missing value, NaN, equals another.
    """
    rows: Array = np.column_stack([x, y]).astype("<f8") + 0.0  # -0.0 is 0.0
    rows[np.isnan(rows)] = np.nan  # whatever its bits were
    return rows


def groups(x: Array, y: Array) -> Rows:
    """For each of n rows the number of its group, counted from 0 as they first appear.

    Where no row is a copy, these are 0 to n - 1.
    """
    rows = exact(x, y)
    whole = rows.view(np.dtype((np.void, rows.strides[0]))).ravel()
    _, first, group = np.unique(whole, return_index=True, return_inverse=True)
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
