"""Champion and challenger: what can be compared of them, and the comparisons."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.errors import DataError, InvalidInput
from app.schema import Feature, Schema
from app.training import copies
from app.training.candidates import CANDIDATES
from app.training.champion import Champion
from app.training.comparison import (
    MIN_UNSEEN,
    Comparison,
    Form,
    Published,
    Refit,
    Task,
    compare,
)
from app.training.compatibility import breaks
from app.training.dataset import Array, Dataset
from app.training.features import MIN_ROWS_A_FOLD, make_dataset
from app.training.rows import unseen
from app.training.tables import Table


@dataclass(frozen=True, slots=True)
class Contest:
    """What came of setting a challenger against a champion.

    Attributes:
        champion: as it was found.
        task: what both had to do.
        breaks: what requests to the champion may do and requests to the challenger may not.
        comparisons: at most one for each form of the champion.
        untold: why there is none for the other forms.
    """

    champion: Champion
    task: Task
    breaks: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    untold: Mapping[Form, str]


def contest(
    champion: Champion,
    task: Task,
    dataset: Dataset,
    table: Table | None,
    progress: Callable[[int, int], None],
) -> Contest:
    """Compare in every form that is possible.

    Args:
        champion: the version to compare with.
        task: of the challenger, on the matrix of `dataset`.
        dataset: as the challenger sees the rows.
        table: that the dataset was made of, for columns which the challenger leaves out.
        progress: told of folds done, and of how many.

    Raises:
        DataError: errors overflow.
    """
    if champion.description is None:
        why = f"{champion.label} is broken: {champion.problem}"
        return Contest(champion, task, (), (), {"refitted": why, "as is": why})
    schema = champion.description.schema
    view = _view(schema, dataset, table, task.folds)
    refit = view if isinstance(view, str) else _refit(champion.description.estimator, view)
    published = view if isinstance(view, str) else _published(champion, schema, view, task)
    forms: dict[Form, object] = {"refitted": refit, "as is": published}
    untold = {form: why for form, why in forms.items() if isinstance(why, str)}
    compared = compare(
        task,
        None if isinstance(refit, str) else refit,
        None if isinstance(published, str) else published,
        progress,
    )
    return Contest(champion, task, breaks(schema, dataset.schema), compared, untold)


def _view(schema: Schema, dataset: Dataset, table: Table | None, folds: int) -> Dataset | str:
    """The same rows with the champion's features, in its order; or why they cannot be had."""
    target = dataset.schema.target.name
    if schema.target.name != target:
        return f"it predicts {schema.target.name!r}"
    view = dataset
    if not dataset.schema.by_name.keys() >= set(schema.names):
        columns = () if table is None else tuple(table.columns)
        if gone := [name for name in schema.names if name not in columns]:
            return f"there is no column {gone[0]!r} any more"
        assert table is not None
        rest = [name for name in columns if name not in (target, *schema.names)]
        try:
            view = make_dataset(table, target, rest, schema.names, folds)
        except DataError as error:
            return f"its columns cannot be used any more: {error.message}"
    view = view.only(schema.names)
    for before, after in zip(schema.features, view.schema.features, strict=True):
        if before.kind != after.kind:
            return f"column {before.name!r} was a {before.kind} and is a {after.kind}"
    return view


def _refit(estimator: str, view: Dataset) -> Refit | str:
    recipes = {candidate.name: candidate.make for candidate in CANDIDATES}
    if estimator not in recipes:
        return f"no recipe is known for its estimator {estimator!r}"
    return Refit(view.x, recipes[estimator](view.schema))


def _published(champion: Champion, schema: Schema, view: Dataset, task: Task) -> Published | str:
    if champion.model is None:
        return f"it cannot be used here: {champion.problem}"
    if champion.rows is None:
        return "it does not say which rows it was trained on"
    x, counts = _recoded(schema, view)
    counts &= unseen(champion.rows, x, view.y)
    different, new = copies.count(task.groups), len(np.unique(task.groups[counts]))
    if new < (few := _fewest(different, task.folds)):
        rows = copies.noun(different, len(view.y))
        return f"{new} of {different} {rows} are new to it and not refused by it, {few} are needed"
    answers = np.zeros(len(view.y))
    try:
        answers[counts] = champion.model.predict(x[counts])
    except InvalidInput as error:
        return error.message
    return Published(answers, counts)


def _fewest(different: int, folds: int) -> int:
    """How many new rows it takes, copies counted once; of a table that is small itself, half."""
    return max(folds * MIN_ROWS_A_FOLD, min(MIN_UNSEEN, different // 2))


def _recoded(schema: Schema, view: Dataset) -> tuple[Array, NDArray[np.bool_]]:
    """The view as requests to the champion would bring it, and which rows it would not refuse."""
    x = view.x.copy()
    taken = np.ones(len(x), dtype=bool)
    for place, (own, other) in enumerate(zip(schema.features, view.schema.features, strict=True)):
        if own.kind == "category":
            x[:, place] = _codes(own, other)[np.nan_to_num(x[:, place], nan=-1).astype(np.intp)]
            taken &= ~(x[:, place] < 0)  # a missing value that it takes is NaN
        elif not own.missing:
            taken &= ~np.isnan(x[:, place])
    return x, taken


def _codes(own: Feature, other: Feature) -> Array:
    """For each code of another schema the champion's, missing last; -1 for what it refuses."""
    return np.array([own.codes.get(value, -1.0) for value in (*other.categories, None)])
