"""CSV as it is found: UTF-8 with or without a BOM, separated by commas, semicolons, tabs or bars.

Rows are split by Arrow. Python's slower reader, which is strict and knows lines, reads the header,
and the whole file where it holds quotes or Arrow refuses it: it says what is wrong and where.
"""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from pyarrow import csv as arrow_csv

from app.errors import DataError
from app.training.headers import check_names
from app.training.texts import typed_columns

_BOM = b"\xef\xbb\xbf"
_OTHER_FILES = {
    b"PK\x03\x04": "a ZIP or Excel file: export the sheet as CSV",
    b"PAR1": "a Parquet file: name it .parquet",
    b"\x1f\x8b": "a gzip file: name it .csv.gz",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
}
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_BLOCK = 1 << 25
"""Bytes that Arrow splits at a time; no row may be longer."""


def parse_csv(data: bytes) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Typed columns by name, and sentences on how they were read. Raises DataError."""
    data = data.removeprefix(_BOM)
    _check_text(data)
    with _fields_up_to(len(data)):
        return _parse(data)


@contextmanager
def _fields_up_to(size: int) -> Iterator[None]:
    """Let Python's reader take values of any length: what it refuses is then faulty."""
    before = csv.field_size_limit(size)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _parse(data: bytes) -> tuple[dict[str, Any], tuple[str, ...]]:
    delimiter, names, start = _header(data)
    body = memoryview(data)[start:]
    if not bytes(body[:_BLOCK]).strip():
        raise DataError("has a header and no rows: add some")
    if b'"' in data:
        _check_rows(data, delimiter)
    texts = _split(data, body, delimiter, names)
    columns, notes = typed_columns(texts, comma_is_free=delimiter != ",")
    if delimiter != ",":
        notes = (f"columns are separated by {_DELIMITERS[delimiter]}", *notes)
    return columns, notes


def _check_text(data: bytes) -> None:
    for magic, what in _OTHER_FILES.items():
        if data.startswith(magic):
            raise DataError(f"is {what}")
    if not data.strip():
        raise DataError("is empty: it needs a header and rows")
    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            byte = data[error.start]
            raise DataError(
                f"is not UTF-8: byte 0x{byte:02X} in line {line}: save it as UTF-8"
            ) from error
    if (place := data.find(b"\0")) >= 0:
        line = data.count(b"\n", 0, place) + 1
        raise DataError(f"is not text: a NUL byte in line {line}: export it as CSV again")


def _header(data: bytes) -> tuple[str, list[str], int]:
    """The delimiter, the stripped names, and where in `data` the rows begin."""
    found = {delimiter: _first_row(data, delimiter) for delimiter in _DELIMITERS}
    # The one that makes the most columns; of equals, one that is no comma, as names hold commas.
    delimiter = max(found, key=lambda each: (len(found[each][0]), each != ","))
    names, lines = found[delimiter]
    start = sum(len(line) for line in _lines(data, lines))
    names = [name.strip() for name in names]
    if len(names) == 1:
        expected = ", ".join(_DELIMITERS.values())
        raise DataError(
            f"has one column only, {names[0][:80]!r}: there must be more, separated by {expected}"
        )
    check_names(names)
    return delimiter, names, start


def _first_row(data: bytes, delimiter: str) -> tuple[list[str], int]:
    """The first row that is not empty, and how many lines it and what precedes it take."""
    reader = csv.reader(_text(data), delimiter=delimiter, strict=True)
    try:
        return next((row, reader.line_num) for row in reader if row)
    except (csv.Error, StopIteration):
        return [], 0


def _text(data: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")


def _lines(data: bytes, count: int) -> Iterator[bytes]:
    text = _text(data)
    for _ in range(count):
        yield next(text).encode()


def _split(data: bytes, body: memoryview, delimiter: str, names: list[str]) -> dict[str, Any]:
    """All columns as text, whitespace and all."""
    places = [str(place) for place in range(len(names))]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(body),
            read_options=arrow_csv.ReadOptions(column_names=places, block_size=_BLOCK),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=b'"' in data
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(places, pa.string()), strings_can_be_null=False
            ),
        )
    except MemoryError:  # Arrow's is an ArrowException as well, and says nothing of the file
        raise
    except pa.ArrowException as error:
        _check_rows(data, delimiter)
        raise DataError(
            "cannot be read as CSV: check its quotes and delimiters, and that no row is longer "
            f"than {_BLOCK >> 20} MiB"
        ) from error
    return dict(zip(names, table.columns, strict=True))


def _check_rows(data: bytes, delimiter: str) -> None:
    """Refuse a quote that is not closed and a row of another length than the header."""
    reader = csv.reader(_text(data), delimiter=delimiter, strict=True)
    width = 0
    line = 1
    try:
        for row in reader:
            width = width or len(row)
            if row and len(row) != width:
                values = f"{len(row)} value{'s' if len(row) > 1 else ''}"
                raise DataError(
                    f"line {line} has {values}, the header has {width} names: "
                    "mend that line, or quote values that hold the delimiter"
                )
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"the row that starts in line {line} has a quote that is not closed, or text after "
            "a closing one: mend its quotes"
        ) from error
