"""``flask --app wsgi models ...``: works on the models folder, not on a service."""

from collections.abc import Sequence

import click

from app.commands.folder import default_name, existing, models_folder, names, tells
from app.commands.group import Group
from app.commands.printing import say, say_json, say_table
from app.errors import BrokenModel, StoreError, UnknownModel
from app.store import SigningStore, Store

models_group = Group("models", help="Look at the models folder and look after it.")


@models_group.command("list")
def list_models() -> None:
    """List every model with its versions; a star marks the one that answers at /predict."""
    store = models_folder(Store)
    known = names(store)
    if not known:
        where = store.root.absolute()
        say(f"there are no models in {where}: publish one with train.py", err=True)
        return
    default = default_name(store, known)
    rows: list[tuple[str, ...]] = [
        ("", "NAME", "CURRENT", "VERSIONS", "PUBLISHED", "ESTIMATOR", "SIGNATURE")
    ]
    rows += [("*" if name == default else "", *_row(store, name)) for name in known]
    if not store.keys.used and {row[-1] for row in rows[1:]} <= {"unsigned", ""}:
        rows = [row[:-1] for row in rows]  # who does not sign need not read of it
    say_table(rows)


@models_group.command("show")
@click.argument("which", metavar="NAME[/VERSION]")
def show_model(which: str) -> None:
    """Print the manifest of a version, by default the current one, as JSON."""
    store = models_folder(Store)
    name, version = existing(store, which)
    try:
        opened = store.open(name, version or store.current(name).version)
    except BrokenModel as error:
        raise StoreError(f"{which} is broken: {error.message}") from error
    say_json(opened.manifest.to_bytes())
    if tells(store, opened.signed):
        say(f"{name}/{opened.manifest.version} is {opened.signed}", err=True)


@models_group.command("default")
@click.argument("name")
def set_default(name: str) -> None:
    """Make a model the one that is answered at /predict."""
    store = models_folder(Store)
    name, version = existing(store, name)
    if version is not None:
        raise StoreError(f"the default is a model, not one of its versions: {name}")
    store.set_default(name)
    say(f"{name} is the default model")


@models_group.command("remove")
@click.argument("which", metavar="NAME/VERSION")
@click.option("--force", is_flag=True, help="Also when it is the current version.")
def remove(which: str, force: bool) -> None:
    """Remove a version for good; its number is never given again."""
    store = models_folder(Store)
    name, version = existing(store, which)
    if version is None:
        raise StoreError(f"name the version to remove: {name}/VERSION")
    current = store.remove(name, version, force=force)
    now = f"version {current} is current" if current else "no version is left"
    say(f"removed {name}/{version}; {now}")


@models_group.command("sign")
@click.argument("which", metavar="NAME[/VERSION]")
def sign(which: str) -> None:
    """Sign what is published already, with the key of ORDINATE_SIGNING_KEY.

    That is, all versions of a model and the file that says which one is current, or one version.
    """
    store = models_folder(SigningStore)
    for line in store.sign(*existing(store, which)):
        say(line)


def _row(store: Store, name: str) -> tuple[str, ...]:
    versions = _ranges(store.versions(name))
    try:
        current = store.current(name).version
    except (BrokenModel, UnknownModel) as error:
        return name, "?", versions, error.message, "", ""
    try:
        opened = store.open(name, current)
    except (BrokenModel, UnknownModel) as error:
        return name, str(current), versions, error.message, "", ""
    made = opened.manifest
    estimator = made.description.estimator
    return name, str(current), versions, made.created, estimator, str(opened.signed)


def _ranges(numbers: Sequence[int]) -> str:
    """``1-3, 7`` for 1, 2, 3 and 7."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in found) or "none"
