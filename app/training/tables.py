"""Tables from files: read once, refused with one sentence if anything about them is not right."""

import gzip
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from app.errors import DataError
from app.training.csv_files import parse_csv
from app.training.formats import FORMATS, table_format
from app.training.headers import check_names


@dataclass(frozen=True, slots=True)
class Table:
    """A table in memory.

    Attributes:
        source: name of the file, without its folder.
        sha256: of the file's bytes.
        columns: Arrow arrays of one length by name, in order.
        notes: sentences on how the file was read, where that is not obvious.
    """

    source: str
    sha256: str
    columns: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def read_table(path: Path) -> Table:
    """Read a .csv, .csv.gz or .parquet file. Raises DataError when that cannot be."""
    data = _bytes_of(path)
    columns, notes = _parse(data, table_format(path))
    source = path.name.encode("utf-8", "backslashreplace").decode()
    return Table(source, hashlib.sha256(data).hexdigest(), columns, notes)


def _bytes_of(path: Path) -> bytes:
    if table_format(path) is None:
        raise DataError(f"cannot tell what it is by its name: it must end in {', '.join(FORMATS)}")
    try:
        if path.exists() and not path.is_file():
            kind = "a folder" if path.is_dir() else "not a regular file"
            raise DataError(f"is {kind}: give the path of a file")
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError("there is no such file: check the path") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = getattr(error, "strerror", None) or error
        raise DataError(f"cannot be read ({why}): check its permissions and path") from error
    if not data:
        raise DataError("is empty: it needs a header and rows")
    return data


def _parse(data: bytes, form: str | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    if form == ".parquet":
        return _parse_parquet(data), ()
    if form == ".csv.gz":
        data = _unzipped(data)
    return parse_csv(data)


def _unzipped(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError("is damaged or no gzip file: compress it again") from error


def _parse_parquet(data: bytes) -> dict[str, Any]:
    try:
        table = parquet.ParquetFile(pa.BufferReader(data)).read()
        table.validate(full=True)
    except MemoryError:  # Arrow's is an ArrowException as well, and says nothing of the file
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError("is damaged or no Parquet file: write it again") from error
    check_names(table.column_names)
    if table.num_rows == 0:
        raise DataError("has no rows: add some")
    return dict(zip(table.column_names, table.columns, strict=True))
