"""Column names, before anything is done with the columns."""

from app.errors import DataError


def check_names(names: list[str]) -> None:
    """Refuse names that are not unique, and empty ones but for the first column.

    That one is left out later: pandas and R write row numbers under an empty name.

    Raises:
        DataError: naming the column.
    """
    if not any(names):
        raise DataError("has no column names: it needs a header and rows")
    seen: set[str] = set()
    for place, name in enumerate(names, start=1):
        if not name and place > 1:
            raise DataError(f"column {place} has no name: give it one in the header")
        if name in seen:
            raise DataError(f"has two columns named {name!r}: rename one of them")
        seen.add(name)
