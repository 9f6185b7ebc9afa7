"""``flask --app wsgi models ...``: works on the models folder, not on a service."""

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import click

from app.commands.group import Group, config
from app.diagnosis import nearest, shortened
from app.errors import BrokenModel, StoreError, UnknownModel
from app.model import load_model
from app.signing import Keys, Signed
from app.store import SigningStore, Store, check_name, version_number

models_group = Group("models", help="Look at the models folder and look after it.")


@models_group.command("list")
def list_models() -> None:
    """List every model with its versions; a star marks the one that answers at /predict."""
    store = _store()
    names = store.names()
    if not names:
        click.echo("there are no models: publish one with train.py", err=True)
        return
    default = _default(store, names)
    rows: list[tuple[str, ...]] = [
        ("", "NAME", "CURRENT", "VERSIONS", "PUBLISHED", "ESTIMATOR", "SIGNATURE")
    ]
    rows += [("*" if name == default else "", *_row(store, name)) for name in names]
    if not store.keys.used and {row[-1] for row in rows[1:]} <= {"unsigned", ""}:
        rows = [row[:-1] for row in rows]  # who does not sign need not read of it
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


@models_group.command("show")
@click.argument("which", metavar="NAME[/VERSION]")
def show_model(which: str) -> None:
    """Print the manifest of a version, by default the current one, as JSON."""
    store = _store()
    name, version = _existing(store, which)
    try:
        opened = store.open(name, version or store.current(name).version)
    except BrokenModel as error:
        raise StoreError(f"{which} is broken: {error.message}") from error
    click.echo(opened.manifest.to_bytes(), nl=False)
    if _tells(store, opened.signed):
        click.echo(f"{name}/{opened.manifest.version} is {opened.signed}", err=True)


@models_group.command("verify")
@click.argument("which", metavar="[NAME[/VERSION]]", required=False)
def verify(which: str | None) -> None:
    """Check every byte and prove the golden rows; exit 1 if anything is broken."""
    store = _store()
    broken = False
    if which is None and not store.names():
        click.echo("there are no models to verify", err=True)
    for label, good, found in _verified(store, which):
        click.echo(f"{label}: {found}")
        broken = broken or not good
    if broken:
        sys.exit(1)


@models_group.command("default")
@click.argument("name")
def set_default(name: str) -> None:
    """Make a model the one that is answered at /predict."""
    store = _store()
    name, version = _existing(store, name)
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
    name, version = _existing(store, which)
    if version is None:
        raise StoreError(f"name the version to remove: {name}/VERSION")
    current = store.remove(name, version, force=force)
    now = f"version {current} is current" if current else "no version is left"
    click.echo(f"removed {name}/{version}; {now}")


@models_group.command("sign")
@click.argument("which", metavar="NAME[/VERSION]")
def sign(which: str) -> None:
    """Sign what is published already, with the key of ORDINATE_SIGNING_KEY.

    That is, all versions of a model and the file that says which one is current, or one version.
    """
    store = SigningStore(config().models, Keys.to_sign(config()), config().max_model_bytes)
    for line in store.sign(*_existing(store, which)):
        click.echo(line)


def _store() -> Store:
    return Store(config().models, Keys.to_sign(config()), config().max_model_bytes)


def _default(store: Store, names: Sequence[str]) -> str | None:
    """The model that a service with these settings answers with at /predict, by its name."""
    chosen = config().model or store.default()
    return names[0] if chosen is None and len(names) == 1 else chosen


def _parse(which: str) -> tuple[str, int | None]:
    """NAME or NAME/VERSION. Raises StoreError."""
    name, slash, number = which.partition("/")
    version = version_number(number)
    if slash and version is None:
        raise StoreError(f"{shortened(which)!r} is not NAME or NAME/VERSION, such as diabetes/1")
    return check_name(name), version


def _existing(store: Store, which: str) -> tuple[str, int | None]:
    """The same for a model that exists. Raises StoreError."""
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


def _verified(store: Store, which: str | None) -> Iterator[tuple[str, bool, str]]:
    """Each thing that was checked, whether it is good, and what was found."""
    name, version = (None, None) if which is None else _existing(store, which)
    names = store.names() if name is None else [name]
    if name is None and names and _default(store, names) not in names:
        missing = "it names no model that exists: choose one with `models default NAME`"
        yield "default", False, missing
    for each in names:
        versions = store.versions(each) if version is None else [version]
        if not versions:
            yield each, False, "there is no version of it"
        for number in versions:
            yield f"{each}/{number}", *_checked(store, partial(_version, store, each, number))
        if version is None:
            yield f"{each}/current", *_checked(store, partial(_current, store, each))


def _checked(store: Store, check: Callable[[], Signed]) -> tuple[bool, str]:
    """Whether a check passes, and what it says."""
    try:
        signed = check()
    except (BrokenModel, UnknownModel) as error:
        return False, error.message
    return True, f"good, {signed}" if _tells(store, signed) else "good"


def _tells(store: Store, signed: Signed) -> bool:
    """Whether a signature is worth a word: who does not sign need not read of it."""
    return store.keys.used or signed.key is not None


def _version(store: Store, name: str, version: int) -> Signed:
    return load_model(store, name, version).signed


def _current(store: Store, name: str) -> Signed:
    pointer = store.current(name)
    if not pointer.names(store.open(name, pointer.version).manifest_sha256):
        raise BrokenModel("it names another manifest than the version has")
    return store.keys.check(pointer.statement(name), pointer.signature)
