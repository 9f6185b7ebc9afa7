"""What train.py tells on the terminal."""

import io
import json
import math
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from app.config import Config
from app.manifest import Manifest
from app.terminal import escaped
from app.training.dataset import Dataset
from app.training.evaluation import MEASURES, Evaluation, Score
from app.training.preparation import sentences

_TITLES = {"r2": "R2", "rmse": "RMSE", "mae": "MAE"}
_MAKEFILE = Path(__file__).resolve().parents[2] / "Makefile"
_SHOWS_KEY = '-H "Authorization: Bearer $KEY" '
_CLEAR_LINE = "\r\x1b[K"


def progress(done: int, total: int) -> None:
    """Show how far cross-validation is, on a terminal only."""
    if sys.stderr.isatty():
        text = f"fold {done + 1} of {total}" if done < total else ""
        sys.stderr.write(f"{_CLEAR_LINE}{text}")
        sys.stderr.flush()


def about_data(dataset: Dataset) -> Iterator[str]:
    """What was read, what is not used of it, and how the rest goes in."""
    rows, columns = dataset.x.shape
    target = dataset.schema.target
    yield (
        f"{shown(dataset.source)}: {_counted(rows, 'row')}, {_counted(columns, 'feature')}, "
        f"target {shown(target.name)} from {target.minimum:g} to {target.maximum:g}"
    )
    yield from (f"  {note}" for note in dataset.notes)
    if copied := rows - dataset.different:
        are = "is a copy of another" if copied == 1 else "are copies of others"
        yield f"  {copied} of {rows} rows {are}: they are kept together in cross-validation"
    if dataset.rows_left_out:
        yield f"  {_counted(dataset.rows_left_out, 'row')} left out: without a target"
    yield from (f"  {shown(left.column)} left out: {left.reason}" for left in dataset.left_out)
    yield from (f"  {remark}" for remark in dataset.remarks)
    yield from (f"  {sentence}" for sentence in sentences(dataset.schema))


def about_quality(estimator: str, evaluation: Evaluation, unit: str | None) -> Iterator[str]:
    """The figures as a table, over all rows, with their standard deviation over the folds."""
    yield (
        f"{evaluation.folds}-fold cross-validation, over all rows ± standard deviation over the "
        "folds, on rows not fitted on:"
    )
    head = ["", estimator, "predicting the mean"]
    body = [
        [
            _title(name, unit),
            _figure(evaluation.model[name]),
            _figure(evaluation.baseline[name]),
        ]
        for name in MEASURES
    ]
    yield from table([head, *body])


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of one length as lines, their columns aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'   '.join(cells)}".rstrip()


def about_publication(manifest: Manifest, models: Path, default: str | None) -> Iterator[str]:
    """Where the model is, and the commands that ask it."""
    config = Config.from_env()
    folder = models / manifest.name / str(manifest.version)
    yield f"Published as version {manifest.version}: {shown(folder)}"
    if models.resolve() == config.models.resolve():
        where = ""
    else:
        where = f"ORDINATE_MODELS={shlex.quote(str(models))} "
    chosen = config.model or default
    path = "/predict" if manifest.name == chosen else f"/models/{manifest.name}/predict"
    golden = manifest.description.golden
    body = json.dumps({"x": golden.x[0]}, ensure_ascii=False)
    if not body.isprintable():
        body = json.dumps({"x": golden.x[0]})
    serve = "make serve" if _MAKEFILE.exists() else "gunicorn wsgi:app"  # the image has no make
    yield f"Serve it (a running service takes it over by itself): {where}{serve}"
    yield "Then ask it:"
    yield (
        f"curl -s {_address(config)}{path} {_SHOWS_KEY if config.auth else ''}"
        f"-H 'Content-Type: application/json' -d {shlex.quote(body)}"
    )
    yield f"which answers about {golden.y[0]:.6g}"


def shown(value: Any) -> str:
    """Text of foreign origin for one line of a terminal: nothing in it is a command."""
    text = str(value)
    return text if text.strip() and text.isprintable() else json.dumps(text)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _title(name: str, unit: str | None) -> str:
    return f"{_TITLES[name]} [{shown(unit)}]" if unit and name != "r2" else _TITLES[name]


def _figure(score: Score) -> str:
    if score.pooled is None:
        return "not defined"
    places = figure_places(max(abs(score.pooled), score.std or 0.0))
    spread = "" if score.std is None else f" ± {score.std:{places}}"
    return f"{score.pooled:z{places}}{spread}"  # z: nothing is -0


def figure_places(size: float) -> str:
    """How to write numbers up to this size: three or four digits that mean something."""
    if size != 0 and not 1e-3 <= size < 1e9:
        return ".2e"
    return f".{min(3, max(0, 2 - math.floor(math.log10(size or 1))))}f"


def _address(config: Config) -> str:
    """Where a client on this machine finds the service."""
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # compared, not bound
    host = anywhere.get(config.host, f"[{config.host}]" if ":" in config.host else config.host)
    scheme = "https" if config.tls_cert else "http"
    return f"{scheme}://{host}:{config.port}"


def say(lines: Iterator[str] | Sequence[str], stream: TextIO | None = None) -> None:
    """Print lines to stdout or another stream, at once.

    Where nobody reads on (a closed pipe, a full disk), go on silently: the exit code still tells.
    """
    stream = stream or sys.stdout
    try:
        for line in lines:
            print(escaped(line), file=stream, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def write_anything() -> None:
    """Let no name of a column fail a run because the terminal's encoding lacks a letter.

    A stream that was closed before the program began is replaced by one that goes nowhere: it
    would be None here, and its number that of the next file, which libraries would write to.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # kept open
            setattr(sys, name, nowhere)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
