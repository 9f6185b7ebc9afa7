"""Which columns of a table become features, and why the others do not."""

import re
from collections.abc import Iterable, Mapping

import numpy as np

from app.training.columns import Column
from app.training.dataset import is_whole

MAX_LEVELS = 100
"""Most different texts of a category."""

MIN_ROWS_A_LEVEL = 2
"""Fewest rows, on average, for each text of a category."""

ROWS_OF_IDENTIFIERS = 100
"""From so many rows on, whole numbers that never repeat are taken for identifiers."""

_IDENTIFIER = re.compile(
    r"(.*[^a-z0-9])?(id|uid|udi|uuid|guid)|id[^a-z0-9].*"
    r"|key|index|idx|row|rownames?|unnamed: ?\d+|__index_level_\d+__",
    re.IGNORECASE,
)
_CAMEL_ID = re.compile(r".*[a-z](Id|ID)")

_KEEP = "use it with --keep"


def reasons(columns: Iterable[Column], keep: frozenset[str]) -> dict[str, str]:
    """Why columns are left out, by name.

    Whole numbers that never repeat come back if nothing else is left.
    """
    columns = list(columns)
    found = {
        column.name: reason
        for column in columns
        if column.name not in keep and (reason := _useless(column))
    }
    numbered = {
        column.name: reason
        for column in columns
        if column.name not in keep | found.keys() and (reason := _identifier(column))
    }
    return found if len(found) + len(numbered) == len(columns) else found | numbered


def cannot_be_kept(column: Column) -> str | None:
    """Why a column is of no use even to one who insists, None if it is not."""
    if column.content == "other":
        return f"it holds values of type {column.type}, which are neither numbers nor text"
    return None if len(column.known) else "it holds no value"


def _useless(column: Column) -> str | None:
    if not column.name:
        return "it has no name, like the row numbers that pandas and R write"
    if (reason := cannot_be_kept(column)) is not None:
        return reason
    if column.content == "date":
        return f"dates are not used ({_KEEP} as a category)"
    encodes_missing = column.content != "number" and column.has_missing
    if column.distinct == 1 and not encodes_missing:
        return "it is the same in every row" + (" where it is known" if column.has_missing else "")
    return _too_many_texts(column) if column.content == "text" else None


def _too_many_texts(column: Column) -> str | None:
    rows = len(column.known)
    if column.distinct == rows:
        return f"it has a different text in every row ({_KEEP})"
    if column.distinct > MAX_LEVELS:
        return f"it has {column.distinct} different texts, more than {MAX_LEVELS} ({_KEEP})"
    if column.distinct * MIN_ROWS_A_LEVEL > rows:
        return (
            f"it has {column.distinct} different texts in {rows} rows, "
            f"fewer than {MIN_ROWS_A_LEVEL} rows for each ({_KEEP})"
        )
    return None


def _identifier(column: Column) -> str | None:
    rows = len(column.values)
    if column.content != "number" or column.distinct < rows:
        return None
    if column.integers is None and not is_whole(column.values):
        return None  # beyond that every float64 is whole, also what was measured
    what = "it has a different whole number in every row"
    if np.ptp(column.values) == rows - 1:
        return f"{what}, counting without a gap ({_KEEP})"
    if _IDENTIFIER.fullmatch(column.name) or _CAMEL_ID.fullmatch(column.name):
        return f"{what} and is named like an identifier ({_KEEP})"
    return f"{what} ({_KEEP})" if rows >= ROWS_OF_IDENTIFIERS else None


def describe(reasons_by_name: Mapping[str, str]) -> str:
    """All reasons in half a sentence, a few of them spelled out."""
    few = list(reasons_by_name.items())[:3]
    listed = "; ".join(f"{name!r}: {reason}" for name, reason in few)
    more = len(reasons_by_name) - len(few)
    return f"{listed}; and {more} more" if more > 0 else listed
