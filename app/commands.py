"""The admin tool, ``flask --app wsgi models ...``: works on the models folder, not on a service."""

import sys
from collections.abc import Iterator
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from app.errors import BrokenModel, OrdinateError, StoreError, UnknownModel
from app.http.service import EXTENSION
from app.model import load_model
from app.store import Store, is_name, version_number


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
    """List every model with its current version and all its versions."""
    store = _store()
    default = store.default()
    for name in store.names():
        versions = ", ".join(map(str, store.versions(name))) or "none"
        mark = " (default)" if name == default else ""
        click.echo(f"{name}{mark}: current {_current(store, name)}, versions {versions}")


@models_group.command("show")
@click.argument("which", metavar="NAME[/VERSION]")
def show_model(which: str) -> None:
    """Print the manifest of a version, by default the current one, as JSON."""
    store = _store()
    name, version = _parse(which)
    opened = store.open(name, version or store.current(name).version)
    click.echo(opened.manifest.to_bytes(), nl=False)


@models_group.command("verify")
@click.argument("which", metavar="[NAME[/VERSION]]", required=False)
def verify(which: str | None) -> None:
    """Check every byte and prove the golden rows; exit 1 if anything is broken."""
    store = _store()
    broken = False
    for label, problem in _verified(store, which):
        click.echo(f"{label}: {problem or 'good'}")
        broken = broken or problem is not None
    if broken:
        sys.exit(1)


@models_group.command("default")
@click.argument("name")
def set_default(name: str) -> None:
    """Make a model the one that is answered at /predict."""
    _store().set_default(name)
    click.echo(f"{name} is the default model")


@models_group.command("remove")
@click.argument("which", metavar="NAME/VERSION")
@click.option("--force", is_flag=True, help="Also when it is the current version.")
def remove(which: str, force: bool) -> None:
    """Remove a version for good; its number is never given again."""
    name, version = _parse(which)
    if version is None:
        raise StoreError(f"name the version to remove: {name}/VERSION")
    current = _store().remove(name, version, force=force)
    now = f"version {current} is current" if current else "no version is left"
    click.echo(f"removed {name}/{version}; {now}")


def _store() -> Store:
    return Store(current_app.extensions[EXTENSION].config.models)


def _parse(which: str) -> tuple[str, int | None]:
    """NAME or NAME/VERSION. Raises StoreError."""
    name, slash, number = which.partition("/")
    version = version_number(number)
    if not is_name(name) or (slash and version is None):
        raise StoreError(f"{which!r} is not NAME or NAME/VERSION")
    return name, version


def _current(store: Store, name: str) -> str:
    try:
        return str(store.current(name).version)
    except (BrokenModel, UnknownModel) as error:
        return f"unknown ({error.message})"


def _verified(store: Store, which: str | None) -> Iterator[tuple[str, str | None]]:
    """Each thing that was checked, with what is wrong with it."""
    name, version = (None, None) if which is None else _parse(which)
    names = store.names() if name is None else [name]
    for each in names:
        versions = store.versions(each) if version is None else [version]
        if not versions:
            yield each, "there is no version of it"
        for number in versions:
            yield f"{each}/{number}", _problem(store, each, number)
        if version is None:
            yield f"{each}/current", _pointer_problem(store, each)


def _problem(store: Store, name: str, version: int) -> str | None:
    try:
        load_model(store, name, version)
    except (BrokenModel, UnknownModel) as error:
        return error.message
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
