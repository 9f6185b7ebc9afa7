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
from app.training.promotion import RULES, Terms

BUILT_IN = "diabetes"
MAX_SEED = 2**32 - 1
MAX_MARGIN = 100.0

_EXAMPLES = """\
examples:
  train.py                                      scikit-learn's diabetes data
  train.py --data cars.csv --target price
  train.py --data cars.parquet --target price --drop plate owner --name cars-2
  train.py --data cars.csv --target price --if-changed     on a schedule

exit codes:
  0  published, and current unless --promote never; or nothing to do (--if-changed)
  2  bad arguments or data: one line says which, nothing is written
  3  published as a candidate only: one line says why
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
    terms: Terms
    if_changed: bool


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
        terms=Terms(found.promote, _fraction("--margin", found.margin)),
        if_changed=found.if_changed,
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
    _add_promotion(parser)
    return parser


def _add_promotion(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--promote",
        choices=RULES,
        default="not-worse",
        help="when the new version becomes current: if it is shown not to be worse than the "
        "current one by the margin (%(default)s), or to be better, or always, or never",
    )
    add(
        "--margin",
        metavar="PERCENT",
        type=float,
        default=5.0,
        help="of the current version's error that a new one may be worse; %(default)g",
    )
    add(
        "--if-changed",
        action="store_true",
        help="do nothing if a version was made of the same data with the same options",
    )


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


def _fraction(option: str, percent: float) -> float:
    if not 0 < percent <= MAX_MARGIN:
        raise ConfigError(
            f"{option} is {percent:g}, allowed is more than 0 and up to {MAX_MARGIN:g} percent"
        )
    return percent / 100
