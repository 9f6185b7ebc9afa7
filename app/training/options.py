"""The command line of train.py."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from app.config import Config
from app.errors import ConfigError
from app.store import check_name, is_name
from app.training.formats import FORMATS, table_format

BUILT_IN = "diabetes"
MAX_SEED = 2**32 - 1

_EXAMPLES = """\
examples:
  train.py                                      scikit-learn's diabetes data
  train.py --data cars.csv --target price
  train.py --data cars.parquet --target price --drop plate owner --name cars-2
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What to train on and where to publish it; `data` is None for the built-in data."""

    data: Path | None
    target: str | None
    name: str
    drop: tuple[str, ...]
    keep: tuple[str, ...]
    models: Path
    folds: int
    seed: int


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see train.py --help")


def parse(arguments: Sequence[str] | None, config: Config) -> Options:
    """Read the command line.

    Raises:
        ConfigError: an argument is wrong or lacks its companion.
        StoreError: a model cannot be called that.
        SystemExit: --help was asked for.
    """
    found = _parser(config).parse_args(arguments)
    for option in ("data", "models"):
        if getattr(found, option) == "":
            raise ConfigError(f"--{option} is empty: give a path")
    if found.data is None:
        for option in ("target", "drop", "keep"):
            if getattr(found, option):
                raise ConfigError(f"--{option} needs --data FILE: the table it is a column of")
    data = None if found.data is None else Path(found.data)
    name = _derived_name(data) if found.name is None else check_name(found.name)
    return Options(
        data=data,
        target=found.target,
        name=name,
        drop=tuple(dict.fromkeys(found.drop)),
        keep=tuple(dict.fromkeys(found.keep)),
        models=Path(found.models),
        folds=_within("--folds", found.folds, 2, 10_000),
        seed=_within("--seed", found.seed, 0, MAX_SEED),
    )


def _parser(config: Config) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="train.py",
        description="Train a linear model of one column of a table and publish it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--data", metavar="FILE", help=f"table with a header ({', '.join(FORMATS)})")
    add("--target", metavar="COLUMN", help="numeric column to predict")
    add("--name", help="name to publish under (default: made of the file's name)")
    add("--drop", metavar="COL", nargs="+", default=[], action="extend", help="leave these out")
    add(
        "--keep",
        metavar="COL",
        nargs="+",
        default=[],
        action="extend",
        help="use these even if they look useless, such as row numbers",
    )
    add("--models", metavar="DIR", default=str(config.models), help="default: %(default)s")
    add("--folds", metavar="K", type=int, default=10, help="of cross-validation; %(default)s")
    add("--seed", metavar="N", type=int, default=0, help="of every random draw; %(default)s")
    return parser


def _derived_name(data: Path | None) -> str:
    if data is None:
        return BUILT_IN
    stem = data.name[: -len(table_format(data) or "")] if table_format(data) else data.stem
    name = re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-_")[:63]
    if not is_name(name):
        raise ConfigError(f"no model can be named after {data.name!r}: choose a name with --name")
    return name


def _within(option: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise ConfigError(f"{option} is {value}, allowed is {low} to {high}")
    return value
