"""``flask --app wsgi predictions ...``: reads the prediction log, where the private key is."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from app.commands.group import Group, config
from app.commands.printing import say, say_json, say_lines
from app.errors import StoreError
from app.files import reason
from app.journal import Record, begun, erase, log_files, make_pair, read, read_private
from app.journal.records import line
from app.journal.rotation import FILE_SECONDS

NEXT = """\
private key: {private}
  Only you can read it. Keep it away from the service: who has it can read what was predicted.
public key:  {public}
  Its id is {key}. It is no secret: the service seals with it, and cannot read what it sealed.

To keep what is predicted, in a folder that is the service's alone:
  mkdir -m 700 predictions
  export ORDINATE_PREDICTION_LOG=predictions ORDINATE_PREDICTION_LOG_KEY={public}
To read it:
  flask --app wsgi predictions show --key {private}"""

_MINUTE = 60.0
_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]

predictions_group = Group("predictions", help="Read the encrypted prediction log.")

_key = click.option(
    "--key",
    "private",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The private key.",
)
_files = click.argument("files", metavar="[FILE...]", nargs=-1, type=click.Path(path_type=Path))


@predictions_group.group("keys", cls=Group)
def prediction_keys_group() -> None:
    """Keys by which the prediction log is sealed and read."""


@prediction_keys_group.command("new")
@click.argument(
    "private",
    metavar="[FILE]",
    default="predictions.pem",
    type=click.Path(dir_okay=False, path_type=Path),
)
def new(private: Path) -> None:
    """Make a pair: the private key in FILE (predictions.pem), the public one beside it (.pub)."""
    key, public = make_pair(private)
    say_lines(NEXT.format(private=private, public=public, key=key))


@predictions_group.command("show")
@_key
@click.option("--since", metavar="TIME", type=click.DateTime(_FORMATS), help="From this time, UTC.")
@click.option("--model", metavar="NAME", help="Of this model alone.")
@click.option("--request-id", metavar="ID", help="Of this request alone.")
@click.option("--strict", is_flag=True, help="Exit 1 also where a file lacks its end.")
@_files
def show(
    private: Path,
    since: datetime | None,
    model: str | None,
    request_id: str | None,
    strict: bool,
    files: Sequence[Path],
) -> None:
    """Print what was predicted, a line of JSON each: from FILE..., or all of the log.

    Lines come file by file, and each worker has its own. What cannot be read is told on stderr, and
    everything else printed; the exit code is 1 if a file is damaged. One that lacks its end is
    still being written, or its worker was killed, or it was cut: that is told as well. Characters
    that a terminal would obey stand escaped as in JSON.
    """
    key = read_private(private)
    first = 0 if since is None else int(since.replace(tzinfo=UTC).timestamp() * 1e9)
    bad = False
    for each in _shown(_chosen(files, first), files, key):
        if isinstance(each, Record):
            name, _, _ = each.model.rpartition("/")
            if each.time_ns >= first and model in (None, name) and request_id in (None, each[1]):
                say_json(line(each))
        else:
            text, is_damage = each
            say(text, err=True)
            bad = bad or is_damage or strict
    if bad:
        sys.exit(1)


@predictions_group.command("erase")
@_key
@click.option("--request-id", "ids", metavar="ID", multiple=True, required=True, help="Of whom.")
@_files
def erase_records(private: Path, ids: Sequence[str], files: Sequence[Path]) -> None:
    """Take the records of these requests out of FILE..., or out of all of the log.

    Files are replaced by others without them; copies of the folder are not reached.
    """
    key, wanted, failed = read_private(private), set(ids), False
    total = 0
    for path in _chosen(files, 0):
        try:
            total += erase(path, key, wanted)
        except FileNotFoundError as error:
            if path in files:
                say(f"{path} cannot be read: {reason(error)}", err=True)
                failed = True
        except StoreError as error:
            say(error.message, err=True)
            failed = True
    say(f"erased {total} record{'' if total == 1 else 's'}")
    if failed:
        sys.exit(1)


def _chosen(files: Sequence[Path], since_ns: int) -> list[Path]:
    """The files that are meant, less those that were complete by then. Raises StoreError."""
    folder = config().prediction_log
    if not files and folder is None:
        raise StoreError("name files or folders, or set ORDINATE_PREDICTION_LOG")
    found: list[Path] = []
    for place in files or [folder or Path()]:
        try:
            found += log_files(place) if place.is_dir() else [place]
        except OSError as error:
            raise StoreError(f"{place} cannot be read: {reason(error)}") from error
    since = since_ns / 1e9 - FILE_SECONDS - _MINUTE
    return [path for path in found if (begun(path.name) or since) >= since]


def _shown(
    paths: Sequence[Path], named: Sequence[Path], key: Any
) -> Iterator[Record | tuple[str, bool]]:
    """All records, and what is to be said of files, with whether it is damage.

    A file that was only found in a folder may have become too old since, which is as it should be.
    """
    for path in paths:
        for each in read(path, key):
            if isinstance(each, Record):
                yield each
            elif path in named or not each.is_absent:
                yield f"{path} {each.text}", each.is_damage
