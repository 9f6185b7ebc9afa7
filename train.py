"""Train a model from a table and publish it: ``python train.py --help``.

Exit codes: 0 published, 2 bad arguments or data (one line on stderr, nothing written), 3 published
and not promoted (one line on stderr), 130 interrupted (nothing written).
"""

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # The libraries take most of a short run to import, and some of them swallow whatever is raised
    # in the middle of it. There is nothing yet to clean up.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

import numpy as np
from threadpoolctl import threadpool_limits

from app.config import Config
from app.errors import DataError, OrdinateError, Overtaken
from app.manifest import Description, Manifest
from app.model import load_model
from app.runtimes import JOBLIB, LINEAR, MODEL_FILE, dump, installed
from app.signing import Keys
from app.store import Keeper, Store
from app.training.candidates import CANDIDATES, Candidate
from app.training.champion import find
from app.training.comparison import Task, repeats_for
from app.training.contest import Contest, contest
from app.training.dataset import Dataset, diabetes
from app.training.evaluation import Evaluation, cross_validate
from app.training.features import check_rows, make_dataset
from app.training.golden import golden_rows
from app.training.linear import agree, drawn, parameters, prove
from app.training.options import Options, parse
from app.training.preparation import steps
from app.training.promotion import Decision, decide, record
from app.training.repetition import asked, repetition
from app.training.report import (
    about_data,
    about_publication,
    about_quality,
    progress,
    say,
    write_anything,
)
from app.training.rows import ROWS_FILE, bitmap
from app.training.tables import Table, read_table
from app.training.verdict import about_candidate, about_contest, about_repetition
from app.unpickling import unpickled

REFUSED, NOT_PROMOTED = 2, 3
"""Exit codes."""

DRAWN_ROWS = 1000
"""Rows over the training ranges on which a model's plain numbers must agree with it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns its exit code."""
    try:
        config = Config.from_env()
        return train(parse(arguments, config), Keys.to_sign(config), config.keep_versions)
    except OrdinateError as error:
        return complain(REFUSED, error.message)
    except MemoryError:
        return complain(REFUSED, "the table does not fit in memory: train on fewer rows or columns")


def complain(code: int, why: str) -> int:
    """Say why not all was done that was asked for. Returns the exit code."""
    say([f"train.py: {why}"], sys.stderr)
    return code


def train(options: Options, keys: Keys, keep: int | None) -> int:
    """Read, evaluate, compare, fit, publish, say so, and let go of all but the `keep` newest.

    Returns the exit code.
    """
    store = Keeper(options.models, keys)
    store.check_writable(options.name)

    # One BLAS thread: sums are then added in the same order whatever the number of cores.
    with naming(options.data), threadpool_limits(1):
        table, dataset = load(options)
        if options.if_changed and (made := repetition(store, dataset, options)):
            say([about_repetition(*made)])
            return 0
        say(about_data(dataset))

        candidate = CANDIDATES[0]
        estimator = candidate.make(dataset.schema)
        evaluation = cross_validate(estimator, dataset, options.folds, options.seed, progress)
        say(about_quality(candidate.name, evaluation, dataset.schema.target.unit))

        artefact = dump(estimator.fit(dataset.x, dataset.y))
        new = Challenger(
            dataset,
            estimator,
            describe(dataset, candidate, evaluation, artefact, asked(dataset, options)),
            {MODEL_FILE: artefact, ROWS_FILE: bitmap(dataset.x, dataset.y)},
        )
        manifest, decision, held = compete(store, new, table, options)

    if keys.signer is not None:
        say([f"Signed by the key {keys.signer.key}"])
    code = conclude(store, manifest, decision, held, options)
    if keep is not None:
        prune(store, manifest, keep)
    return code


def load(options: Options) -> tuple[Table | None, Dataset]:
    """The table that was asked for, and what is made of it; or the built-in data."""
    if options.data is None:
        dataset = diabetes()
        check_rows(dataset.different, len(dataset.y), options.folds)
        return None, dataset
    table = read_table(options.data)
    return table, make_dataset(table, options.target, options.drop, options.keep, options.folds)


@dataclass(frozen=True, slots=True)
class Challenger:
    """What is to be published, and what it was made of."""

    dataset: Dataset
    estimator: Any
    description: Description
    files: Mapping[str, bytes]

    def task(self, options: Options) -> Task:
        """What it has to do beside a champion."""
        x, y, groups = self.dataset.x, self.dataset.y, self.dataset.groups
        repeats = repeats_for(len(y), options.folds)
        return Task(x, y, groups, self.estimator, options.folds, repeats, options.seed)


def compete(
    store: Store, new: Challenger, table: Table | None, options: Options
) -> tuple[Manifest, Decision, Contest | None]:
    """Compare a challenger with the champion, if there is one, and publish it as that came out.

    Where another version became current meanwhile, that is the champion, and both begin anew.
    """
    task, rows = new.task(options), new.dataset.counted()
    while True:
        champion = find(store, options.name)
        held = contest(champion, task, new.dataset, table, progress) if champion else None
        decision = decide(options.terms, held, rows)
        if held:
            say(about_contest(options.terms, held, decision))
        with suppress(Overtaken):
            manifest = store.publish(
                options.name,
                replace(new.description, promotion=record(options.terms, held, decision)),
                new.files,
                make_current=decision.promoted,
                instead_of=champion.version if champion else None,
                prove=partial(load_model, store),
            )
            return manifest, decision, held


def conclude(
    store: Store, manifest: Manifest, decision: Decision, held: Contest | None, options: Options
) -> int:
    """Say where the version is and what becomes of it. Returns the exit code."""
    if decision.promoted:
        say(about_publication(manifest, options.models, store.default()))
        return 0
    say(about_candidate(manifest, options.models, held.champion.version if held else None))
    if options.terms.rule == "never":
        return 0
    return complain(NOT_PROMOTED, f"version {manifest.version} is not promoted: {decision.reason}")


def prune(keeper: Keeper, manifest: Manifest, keep: int) -> None:
    """Remove old versions. What is published stays so whatever comes of that."""
    try:
        removed = keeper.prune(manifest.name, keep, spare=manifest.version)
    except OrdinateError as error:
        complain(REFUSED, error.message)
        return
    if removed:
        gone = ", ".join(map(str, removed))
        say([f"Removed old versions, all but the {keep} newest and those in use: {gone}"])


@contextmanager
def naming(data: Path | None) -> Iterator[None]:
    """Begin what is said of the data with the path of their file."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{data or 'built-in data'}: {error.message}") from error


def describe(
    dataset: Dataset,
    candidate: Candidate,
    evaluation: Evaluation,
    artefact: bytes,
    choices: Mapping[str, Any],
) -> Description:
    """Write down all that is known of the model, its answers taken from the artefact itself."""
    loaded: Any = unpickled(artefact)
    linear = parameters(loaded, dataset.schema)
    x = np.vstack([dataset.x, drawn(dataset.schema, DRAWN_ROWS, evaluation.seed)])
    golden = golden_rows(loaded.predict, dataset, evaluation.seed)
    agreed = agree(linear, dataset.schema, x, loaded.predict(x))
    agreed = agreed and prove(linear, dataset.schema, golden)
    return Description(
        schema=dataset.schema,
        runtime=LINEAR if agreed else JOBLIB,
        estimator=candidate.name,
        libraries=installed(),
        training={
            **choices,
            "source": dataset.source,
            **dataset.counted(),
            "rows_left_out": dataset.rows_left_out,
            "left_out": [
                {"column": left.column, "reason": left.reason} for left in dataset.left_out
            ],
            "notes": list(dataset.notes),
            "preparation": steps(dataset.schema),
        },
        metrics=evaluation.to_json(),
        golden=golden,
        linear=linear if agreed else None,
    )


if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    write_anything()
    sys.exit(main())
