"""How the commands print what they found in files, none of which may drive the terminal."""

import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from app.errors import StoreError
from app.files import reason
from app.terminal import escaped


def say(line: str, *, err: bool = False) -> None:
    """Print one line. Raises StoreError where standard output cannot be written."""
    if not err:
        _print(escaped(line) + "\n")
        return
    with suppress(OSError):  # what is said beside a result must not cost the result
        click.echo(escaped(line), err=True)


def say_lines(text: str) -> None:
    """Print several lines. Raises StoreError as `say` does."""
    for line in text.splitlines():
        say(line)


def say_json(text: bytes) -> None:
    """Print JSON as it is, with its own line ends. Raises StoreError as `say` does."""
    _print(escaped(text.decode(), but="\n\t"))


def say_table(rows: Sequence[Sequence[str]]) -> None:
    """Print lines with the cells of each column below each other. Raises StoreError as `say`."""
    rows = [[escaped(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        _print(line.rstrip() + "\n")


def hand_over(secret: str) -> None:
    """Print what is shown this once. Raises StoreError where it reaches nobody."""
    try:
        if sys.stdout is None:  # closed by who started this: click would print nothing, silently
            raise StoreError("standard output is closed, so nobody would get the key; no change")
        _print(secret + "\n")
    except BrokenPipeError as error:
        raise StoreError(
            "nobody reads standard output, and would get the key; no change"
        ) from error


def _print(text: str) -> None:
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:  # who read it has seen enough, and click ends the command
        raise
    except OSError as error:
        raise StoreError(f"standard output cannot be written: {reason(error)}") from error
