"""The admin tool, ``flask --app wsgi models ...``: works on the models folder, not on a service."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from app.config import Config
from app.diagnosis import nearest, shortened
from app.errors import BrokenModel, OrdinateError, StoreError, UnknownModel
from app.http.service import EXTENSION, Service
from app.model import load_model
from app.store import Label, Labels, Repair, Store, check_name, version_number


class _Group(AppGroup):
    """A group whose commands end with one line where something is wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OrdinateError as error:
            raise click.ClickException(error.message) from error


models_group = _Group("models", help="Look at the models folder and look after it.")


@models_group.command("list")
def list_models() -> None:
    """List every model with its versions; a star marks the one that answers at /predict."""
    store = _store()
    names = store.names()
    if not names:
        click.echo("there are no models: publish one with train.py", err=True)
        return
    default = _default(store, names)
    rows: list[tuple[str, ...]] = [("", "NAME", "CURRENT", "VERSIONS", "PUBLISHED", "ESTIMATOR")]
    rows += [("*" if name == default else "", *_row(store, name)) for name in names]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


@models_group.command("show")
@click.argument("which", metavar="NAME[/VERSION]")
def show_model(which: str) -> None:
    """Print the manifest of a version, by default the current one, as JSON."""
    store = _store()
    name, version = existing(store, which)
    try:
        opened = store.open(name, version or store.current(name).version)
    except BrokenModel as error:
        raise StoreError(f"{which} is broken: {error.message}") from error
    click.echo(opened.manifest.to_bytes(), nl=False)


@models_group.command("verify")
@click.argument("which", metavar="[NAME[/VERSION]]", required=False)
@click.option("--repair", is_flag=True, help="First clear what a writer that died left.")
def verify(which: str | None, repair: bool) -> None:
    """Check every byte and prove the golden rows; exit 1 if anything is broken.

    --repair removes unfinished files and labels of versions that are gone, and mends a default that
    names no model where there is but one. What is damaged it leaves as it is.
    """
    store = _store()
    broken = False
    for done in _repaired(store, which) if repair else ():
        click.echo(f"repaired: {done}")
    if which is None and not store.names():
        click.echo("there are no models to verify", err=True)
    for label, problem in _verified(store, which):
        click.echo(f"{label}: {problem or 'good'}")
        broken = broken or problem is not None
    if broken:
        sys.exit(1)


@models_group.command("default")
@click.argument("name")
def set_default(name: str) -> None:
    """Make a model the one that is answered at /predict."""
    store = _store()
    name, version = existing(store, name)
    if version is not None:
        raise StoreError(f"the default is a model, not one of its versions: {name}")
    store.set_default(name)
    click.echo(f"{name} is the default model")


@models_group.command("remove")
@click.argument("which", metavar="NAME/VERSION")
@click.option("--force", is_flag=True, help="Also when it is the current version.")
def remove(which: str, force: bool) -> None:
    """Remove a version for good; its number is never given again."""
    store = _store()
    name, version = existing(store, which)
    if version is None:
        raise StoreError(f"name the version to remove: {name}/VERSION")
    current = store.remove(name, version, force=force)
    now = f"version {current} is current" if current else "no version is left"
    click.echo(f"removed {name}/{version}; {now}")


def _config() -> Config:
    served: Service = current_app.extensions[EXTENSION]
    return served.config


def _store() -> Store:
    return Store(_config().models)


def _default(store: Store, names: Sequence[str]) -> str | None:
    """The model that a service with these settings answers with at /predict, by its name."""
    chosen = _config().model or store.default()
    return names[0] if chosen is None and len(names) == 1 else chosen


def _parse(which: str) -> tuple[str, int | None]:
    """NAME or NAME/VERSION. Raises StoreError."""
    name, slash, number = which.partition("/")
    version = version_number(number)
    if slash and version is None:
        raise StoreError(f"{shortened(which)!r} is not NAME or NAME/VERSION, such as diabetes/1")
    return check_name(name), version


def existing(store: Store, which: str) -> tuple[str, int | None]:
    """NAME or NAME/VERSION for a model that exists. Raises StoreError."""
    name, version = _parse(which)
    names = store.names()
    if name not in names:
        hint = nearest(name, names) if names else "there are none: publish one with train.py"
        raise StoreError(f"there is no model named {name!r}: {hint}")
    return name, version


def _row(store: Store, name: str) -> tuple[str, ...]:
    versions = _ranges(store.versions(name))
    try:
        current = store.current(name).version
    except (BrokenModel, UnknownModel) as error:
        return name, "?", versions, error.message, ""
    try:
        manifest = store.open(name, current).manifest
    except (BrokenModel, UnknownModel) as error:
        return name, str(current), versions, error.message, ""
    return name, str(current), versions, manifest.created, manifest.description.estimator


def _ranges(numbers: Sequence[int]) -> str:
    """``1-3, 7`` for 1, 2, 3 and 7."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in found) or "none"


def _verified(store: Store, which: str | None) -> Iterator[tuple[str, str | None]]:
    """Each thing that was checked, with what is wrong with it."""
    name, version = (None, None) if which is None else existing(store, which)
    names = store.names() if name is None else [name]
    if name is None and names and _default(store, names) not in names:
        yield "default", "it names no model that exists: choose one with `models default NAME`"
    for each in names:
        versions = store.versions(each) if version is None else [version]
        if not versions:
            yield each, "there is no version of it"
        for number in versions:
            yield f"{each}/{number}", _problem(store, each, number)
        if version is None:
            yield f"{each}/current", _pointer_problem(store, each)
            yield from _kept(store, each)


def _repaired(store: Store, which: str | None) -> list[str]:
    name, version = (None, None) if which is None else existing(store, which)
    if version is not None:
        raise StoreError(f"a version never changes, so it cannot be repaired: repair {name}")
    return Repair(store.root).repair(name)


def _problem(store: Store, name: str, version: int) -> str | None:
    try:
        load_model(store, name, version)
    except (BrokenModel, UnknownModel) as error:
        return error.message
    return None


def _kept(store: Store, name: str) -> Iterator[tuple[str, str | None]]:
    """Each label of a model and its history, with what is wrong with it."""
    for label, found in _labels(store, name).items():
        yield f"{name}/{label}", _label_problem(store, name, found)
    try:
        store.history(name)
    except BrokenModel as error:
        why = f"{error.message}: activate the version that is to answer, which begins it anew"
        yield f"{name}/history", why


def _labels(store: Store, name: str) -> Labels:
    try:
        return store.labels(name)
    except (BrokenModel, UnknownModel) as error:
        return {"labels": BrokenModel(error.message)}


def _label_problem(store: Store, name: str, label: Label | BrokenModel) -> str | None:
    if isinstance(label, BrokenModel):
        return label.message
    try:
        opened = store.open(name, label.version)
    except (BrokenModel, UnknownModel) as error:
        return error.message
    if opened.manifest_sha256 != label.manifest_sha256:
        return "it names another manifest than the version has"
    return None


def _pointer_problem(store: Store, name: str) -> str | None:
    try:
        pointer = store.current(name)
        opened = store.open(name, pointer.version)
    except (BrokenModel, UnknownModel) as error:
        return error.message
    if opened.manifest_sha256 != pointer.manifest_sha256:
        return "it names another manifest than the version has"
    return None
