"""Strays: values that are no numbers, in a column whose other values are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.training.columns import Column, quoted
from app.training.texts import are_missing, are_numbers

NEARLY_ALL = 0.9
"""From this part of numbers on, a column of text was probably meant to be one of numbers."""


@dataclass(frozen=True, slots=True)
class Strays:
    """What makes text of a column.

    Attributes:
        first: of the values that are no numbers, quoted and shortened.
        row: of that value in the table, from 1.
        count: how many values are no numbers.
        known: how many values there are, missing ones aside.
        numbers: how many of them are numbers, and not words that are missing beside numbers.
    """

    first: str
    row: int
    count: int
    known: int
    numbers: int

    @property
    def are_few(self) -> bool:
        """Whether nearly all values are numbers."""
        return self.count <= (1 - NEARLY_ALL) * (self.count + self.numbers)

    def __str__(self) -> str:
        no_numbers = "is no number" if self.count == 1 else "are no numbers"
        return (
            f"{self.count} of {self.known} values {no_numbers}, "
            f"the first is {self.first} in row {self.row}"
        )


def strays(column: Column, places: NDArray[np.intp] | None = None) -> Strays | None:
    """Find what is no number in a column of text; None if all of it could be read as numbers.

    Args:
        column: with `Column.texts`.
        places: of its values in the table's column, from 0, where some were left out before.
    """
    there = np.flatnonzero(~np.isnan(column.values))
    codes = column.values[there].astype(np.intp)
    missing = are_missing(column.texts)[codes]
    by_point, by_comma = (
        np.flatnonzero(~(are_numbers(column.texts, decimal_comma)[codes] | missing))
        for decimal_comma in (False, True)
    )
    # Numbers with a comma are numbers in some files only: where nothing else is wrong, not here.
    found = by_comma if 0 < len(by_comma) < len(by_point) else by_point
    if not len(found):
        return None
    place = int(there[found[0]])
    return Strays(
        first=quoted(column.texts[int(codes[found[0]])].as_py()),
        row=(place if places is None else int(places[place])) + 1,
        count=len(found),
        known=len(there),
        numbers=len(there) - len(found) - int(missing.sum()),
    )
