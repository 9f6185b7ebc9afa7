"""The kinds of files that tables are read from, told by the ends of their names."""

from pathlib import Path

FORMATS = (".csv", ".csv.gz", ".parquet")


def table_format(path: Path) -> str | None:
    """The ending of a file's name that says how to read it; None if none does."""
    return next((ending for ending in FORMATS if path.name.lower().endswith(ending)), None)
