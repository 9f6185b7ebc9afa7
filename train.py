"""Train a model from a table and publish it: ``python train.py --help``.

Exit codes: 0 published, 2 bad arguments or data (one line on stderr, nothing written),
130 interrupted (nothing written).
"""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # The libraries take most of a short run to import, and some of them swallow whatever is raised
    # in the middle of it. There is nothing yet to clean up.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from app.config import Config
from app.errors import DataError, OrdinateError
from app.manifest import Description
from app.runtimes import JOBLIB, LINEAR, MODEL_FILE, dump, installed
from app.signing import Keys
from app.store import Store
from app.training.candidates import CANDIDATES, Candidate
from app.training.dataset import Dataset, diabetes
from app.training.evaluation import Evaluation, cross_validate
from app.training.features import make_dataset
from app.training.golden import golden_rows
from app.training.linear import agree, drawn, parameters
from app.training.options import Options, parse
from app.training.preparation import steps
from app.training.report import (
    about_data,
    about_publication,
    about_quality,
    one_line,
    progress,
    say,
    write_anything,
)
from app.training.tables import read_table
from app.unpickling import unpickled

DRAWN_ROWS = 1000
"""Rows over the training ranges on which a model's plain numbers must agree with it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns its exit code."""
    try:
        config = Config.from_env()
        train(parse(arguments, config), Keys.to_sign(config))
    except OrdinateError as error:
        return refuse(error.message)
    except MemoryError:
        return refuse("the table does not fit in memory: train on fewer rows or columns")
    return 0


def refuse(why: str) -> int:
    """Say why nothing was published. Returns the exit code."""
    print(f"train.py: {one_line(why)}", file=sys.stderr)
    return 2


def train(options: Options, keys: Keys) -> None:
    """Read, evaluate, fit, publish, signed if there is a key, and say so."""
    store = Store(options.models, keys)
    store.check_writable(options.name)

    # One BLAS thread: sums are then added in the same order whatever the number of cores.
    with naming(options.data), threadpool_limits(1):
        dataset = load(options)
        say(about_data(dataset))

        candidate = CANDIDATES[0]
        estimator = candidate.make(dataset.schema)
        evaluation = cross_validate(estimator, dataset, options.folds, options.seed, progress)
        say(about_quality(candidate.name, evaluation, dataset.schema.target.unit))

        artefact = dump(estimator.fit(dataset.x, dataset.y))
        description = describe(dataset, candidate, evaluation, artefact)

    manifest = store.publish(options.name, description, {MODEL_FILE: artefact})
    if keys.signer is not None:
        say([f"Signed by the key {keys.signer.key}"])
    say(about_publication(manifest, options.models, store.default()))


def load(options: Options) -> Dataset:
    """The table that was asked for, or the built-in one."""
    if options.data is None:
        return diabetes()
    table = read_table(options.data)
    return make_dataset(table, options.target, options.drop, options.keep, options.folds)


@contextmanager
def naming(data: Path | None) -> Iterator[None]:
    """Begin what is said of the data with the path of their file."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{data or 'built-in data'}: {error.message}") from error


def describe(
    dataset: Dataset, candidate: Candidate, evaluation: Evaluation, artefact: bytes
) -> Description:
    """Write down all that is known of the model, its answers taken from the artefact itself."""
    loaded: Any = unpickled(artefact)
    linear = parameters(loaded, dataset.schema)
    x = np.vstack([dataset.x, drawn(dataset.schema, DRAWN_ROWS, evaluation.seed)])
    agreed = agree(linear, dataset.schema, x, loaded.predict(x))
    return Description(
        schema=dataset.schema,
        runtime=LINEAR if agreed else JOBLIB,
        estimator=candidate.name,
        libraries=installed(),
        training={
            "source": dataset.source,
            "sha256": dataset.sha256,
            "target": dataset.schema.target.name,
            "rows": len(dataset.x),
            "rows_left_out": dataset.rows_left_out,
            "left_out": [
                {"column": left.column, "reason": left.reason} for left in dataset.left_out
            ],
            "notes": list(dataset.notes),
            "preparation": steps(dataset.schema),
            "folds": evaluation.folds,
            "seed": evaluation.seed,
        },
        metrics=evaluation.to_json(),
        golden=golden_rows(loaded.predict, dataset, evaluation.seed),
        linear=linear if agreed else None,
    )


if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    write_anything()
    sys.exit(main())
