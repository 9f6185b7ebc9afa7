"""How the commands print what they found in files, none of which may drive the terminal."""

from collections.abc import Sequence

import click

from app.terminal import escaped


def say(line: str, *, err: bool = False) -> None:
    """Print one line."""
    click.echo(escaped(line), err=err)


def say_json(text: bytes) -> None:
    """Print JSON as it is, with its own line ends."""
    click.echo(escaped(text.decode(), but="\n\t"), nl=False)


def say_table(rows: Sequence[Sequence[str]]) -> None:
    """Print lines with the cells of each column below each other."""
    rows = [[escaped(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())
