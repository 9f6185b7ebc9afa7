"""The admin tool's commands for versions: ``flask --app wsgi models activate|rollback|label|...``.

They write to the models folder; a running service takes over what they say within about a second.
"""

import click

from app.commands.folder import existing, models_folder, names
from app.commands.group import config
from app.commands.models import models_group
from app.commands.printing import say
from app.errors import BrokenModel, StoreError, UnknownModel
from app.model import load_model
from app.store import Keeper, Label


@models_group.command("activate")
@click.argument("which", metavar="NAME/VERSION")
def activate(which: str) -> None:
    """Make a version the current one, whatever its number, after it has proven itself."""
    keeper = models_folder(Keeper)
    name, version = _version(keeper, which)
    _prove(keeper, name, version)
    before = keeper.activate(name, version)
    was = "" if before in (None, version) else f"; before it was {before}"
    say(f"version {version} of {name} is current{was}")


@models_group.command("rollback")
@click.argument("name")
def rollback(name: str) -> None:
    """Return to the version that was current before, whatever its number.

    That is the one that was current when the current one was published or activated. Calling this
    again goes one step further back; `activate` returns to what was rolled back from.
    """
    keeper = models_folder(Keeper)
    name = _name(keeper, name)
    try:
        before = keeper.previous(name)
    except (BrokenModel, UnknownModel):
        before = None  # the store says why
    if before is not None:
        _prove(keeper, name, before)
    now, was = keeper.rollback(name)
    say(f"version {now} of {name} is current; it was {was}")


@models_group.command("label")
@click.argument("name")
@click.argument("label")
@click.argument("version", type=click.IntRange(1, 999_999_999), required=False)
@click.option("--remove", is_flag=True, help="Let the label stand for nothing.")
def set_label(name: str, label: str, version: int | None, remove: bool) -> None:
    """Let LABEL stand for VERSION of model NAME.

    Requests reach it at /models/NAME/labels/LABEL/predict. The version labelled canary also answers
    the share of requests that ORDINATE_CANARY gives it; the one labelled shadow predicts beside
    every answer, to be compared with it in the metrics.
    """
    keeper = models_folder(Keeper)
    name = _name(keeper, name)
    if remove == (version is not None):
        raise StoreError("say which version the label is to stand for, or --remove, not both")
    if version is None:
        keeper.remove_label(name, label)
        say(f"{label} stands for no version of {name} any more")
        return
    _prove(keeper, name, version)
    before = keeper.set_label(name, label, version)
    was = "" if before in (None, version) else f"; before it was {before}"
    say(f"{label} stands for version {version} of {name}{was}")


@models_group.command("labels")
@click.argument("name", required=False)
def list_labels(name: str | None) -> None:
    """List the labels of a model, or of all."""
    keeper = models_folder(Keeper)
    for each in names(keeper) if name is None else [_name(keeper, name)]:
        for label, found in keeper.labels(each).items():
            what = found.version if isinstance(found, Label) else found.message
            say(f"{each}  {label}  {what}")


@models_group.command("prune")
@click.argument("name", required=False)
@click.option("--keep", metavar="N", type=click.IntRange(1), help="How many of the newest.")
def prune(name: str | None, keep: int | None) -> None:
    """Remove old versions of a model, or of all, whose numbers are never given again.

    The newest N stay, by default as many as ORDINATE_KEEP_VERSIONS says; and the current version,
    those with a label and the one that a rollback would return to.
    """
    keeper = models_folder(Keeper)
    keep = keep or config().keep_versions
    if keep is None:
        raise StoreError("say how many versions to keep: --keep N, or ORDINATE_KEEP_VERSIONS")
    for each in names(keeper) if name is None else [_name(keeper, name)]:
        removed = keeper.prune(each, keep)
        said = ", ".join(map(str, removed)) or "nothing"
        say(f"{each}: removed {said}")


def _name(keeper: Keeper, which: str) -> str:
    """A model that exists. Raises StoreError."""
    name, version = existing(keeper, which)
    if version is not None:
        raise StoreError(f"name the model alone, without a version: {name}")
    return name


def _version(keeper: Keeper, which: str) -> tuple[str, int]:
    """A version of a model that exists. Raises StoreError."""
    name, version = existing(keeper, which)
    if version is None:
        raise StoreError(f"name the version as well: {name}/VERSION")
    return name, version


def _prove(keeper: Keeper, name: str, version: int) -> None:
    """Load a version as the service would. Raises StoreError where it would be refused."""
    try:
        load_model(keeper, name, version, config().runtime)
    except (BrokenModel, UnknownModel) as error:
        raise StoreError(f"{name}/{version} would be refused: {error.message}") from error
