"""From a table and a target to a dataset, or a sentence on why that cannot be."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.diagnosis import enumerated, nearest
from app.errors import DataError
from app.schema import Feature, Schema, Target, unit_in
from app.training import copies
from app.training.candidates import encoded_width
from app.training.columns import Column, read_column
from app.training.dataset import Array, Dataset, LeftOut, is_whole, number
from app.training.leaks import leaks
from app.training.selection import cannot_be_kept, describe, reasons
from app.training.strays import strays
from app.training.tables import Table

MIN_ROWS_A_FOLD = 2
"""R2 is not defined for fewer."""


def make_dataset(
    table: Table,
    target: str | None,
    drop: Sequence[str] = (),
    keep: Sequence[str] = (),
    folds: int = 2,
) -> Dataset:
    """Choose the features of a table and make the model's matrix of them.

    Raises:
        DataError: the target or another column is not there or cannot be used, or there are too
            few rows.
    """
    target = _check_named(table, target, drop, keep)
    goal = _target_column(table, target)
    known = ~np.isnan(goal.values)
    rows = int(known.sum())
    check_rows(rows, rows, folds)
    columns = _read_columns(table, {target, *drop}, keep, known)
    why = dict.fromkeys(drop, "as asked by --drop") | reasons(columns, frozenset(keep))
    left_out = {name: why[name] for name in table.columns if name in why}
    remarks = tuple(_remarks(columns, known))
    used = _used(columns, left_out, remarks)
    features, x = _matrix(used, rows)
    y = goal.values[known]
    schema = Schema(features, _target(goal, y))
    groups = copies.groups(x, y)
    check_rows(copies.count(groups), rows, folds)
    _check_width(schema, copies.count(groups), rows)
    return Dataset(
        source=table.source,
        sha256=table.sha256,
        schema=schema,
        x=x,
        y=y,
        whole=tuple(column.content == "number" and is_whole(column.values) for column in used),
        groups=groups,
        left_out=tuple(LeftOut(name, reason) for name, reason in left_out.items()),
        rows_left_out=len(known) - rows,
        notes=table.notes,
        remarks=(*remarks, *leaks(features, x, y)),
    )


def _used(
    columns: Sequence[Column], left_out: Mapping[str, str], remarks: Sequence[str]
) -> list[Column]:
    """The columns that are features. Raises DataError where there are none."""
    used = [column for column in columns if column.name not in left_out]
    if not used:
        why = "; ".join([describe(left_out) or "add some", *remarks[:1]])
        raise DataError(f"no column is left to predict from: {why}")
    return used


def _read_columns(
    table: Table, without: AbstractSet[str], keep: Sequence[str], known: NDArray[np.bool_]
) -> list[Column]:
    """The columns of the rows whose target is known, each that must be kept usable."""
    places = np.flatnonzero(known)
    columns = [
        read_column(name, array if known.all() else pc.filter(array, known), places)
        for name, array in table.columns.items()
        if name not in without
    ]
    for column in columns:
        if column.name in keep and (reason := cannot_be_kept(column)):
            raise DataError(f"--keep cannot keep {column.name!r}: {reason}")
    return columns


def _check_named(table: Table, target: str | None, drop: Sequence[str], keep: Sequence[str]) -> str:
    """Every column that was named must exist, and none twice for opposite ends."""
    names = list(table.columns)
    if target is None:
        raise DataError(f"--target is missing: name the column to predict, of {enumerated(names)}")
    for option, given in (("target", [target]), ("drop", drop), ("keep", keep)):
        for name in given:
            if name not in table.columns:
                raise DataError(f"--{option} {name!r} is no column of it: {nearest(name, names)}")
    for option, given in (("drop", drop), ("keep", keep)):
        if target in given:
            raise DataError(f"{target!r} is the target: take it out of --{option}")
    if both := set(drop) & set(keep):
        raise DataError(f"{min(both)!r} is in --drop and in --keep: take it out of one")
    return target


def _target_column(table: Table, name: str) -> Column:
    goal = read_column(name, table.columns[name])
    if goal.content != "other" and not len(goal.known):
        raise DataError(f"the target {name!r} has no value in any row: name another --target")
    if goal.content != "number":
        raise DataError(f"the target {name!r} is not numeric, it holds {_other_than_numbers(goal)}")
    if np.ptp(goal.known) == 0:
        rounded = "" if goal.distinct == 1 else ", rounded to float64"
        raise DataError(
            f"the target {name!r} is {goal.known[0]:g} in every row{rounded}: there is nothing to "
            "predict, name another --target"
        )
    return goal


def _other_than_numbers(goal: Column) -> str:
    """What a target holds, and what to do."""
    remedy = "name a column of numbers, classes cannot be predicted yet"
    if goal.content != "text":
        whats = {"boolean": "true and false", "date": "dates"}
        return f"{whats.get(goal.content, f'values of type {goal.type}')}: {remedy}"
    found = strays(goal)
    if found is None:
        return f"numbers that are written as text, such as {goal.example()}: make numbers of them"
    if found.are_few:
        remedy = "write a number there or nothing"
    return f"text: {found}: {remedy}"


def _remarks(columns: Sequence[Column], known: NDArray[np.bool_]) -> Iterator[str]:
    """On columns that a few values keep from being numbers."""
    places = np.flatnonzero(known)
    for column in columns:
        found = strays(column, places) if column.content == "text" and len(column.known) else None
        if found and found.are_few:
            yield f"{column.name!r} is taken for text: {found}"


def check_rows(different: int, rows: int, folds: int) -> None:
    """Refuse fewer different rows than `MIN_ROWS_A_FOLD` for each fold. Raises DataError."""
    if different >= folds * MIN_ROWS_A_FOLD:
        return
    possible = different // MIN_ROWS_A_FOLD
    remedy = f"use --folds {possible} or add rows" if possible >= 2 else "add rows"
    raise DataError(
        f"{different} {copies.noun(different, rows)} with a target are too few for {folds} folds "
        f"of {MIN_ROWS_A_FOLD} or more: {remedy}"
    )


def _check_width(schema: Schema, different: int, rows: int) -> None:
    width = encoded_width(schema)
    if different < width:
        raise DataError(
            f"{different} {copies.noun(different, rows)} are too few for {len(schema.features)} "
            f"features, which make {width} columns: add rows or leave columns out with --drop"
        )


def _matrix(used: Sequence[Column], rows: int) -> tuple[tuple[Feature, ...], Array]:
    x = np.empty((rows, len(used)))
    features = []
    for place, column in enumerate(used):
        feature, x[:, place] = _feature(column)
        features.append(feature)
    return tuple(features), x


def _feature(column: Column) -> tuple[Feature, Array]:
    name, missing = column.name, column.has_missing
    if column.content == "number":
        return number(name, column.values, column.unit or unit_in(name)), column.values
    if column.content == "boolean":
        return Feature(name, "boolean", missing=missing), column.values
    categories, codes = column.sorted_texts()
    return Feature(name, "category", categories=categories, missing=missing), codes


def _target(goal: Column, y: Array) -> Target:
    return Target(goal.name, float(y.min()), float(y.max()), goal.unit or unit_in(goal.name))
