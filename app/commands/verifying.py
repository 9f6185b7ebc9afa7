"""``flask --app wsgi models verify``: whether all that is in the models folder can be used."""

import sys
from collections.abc import Callable, Iterator
from functools import partial

import click

from app.commands.folder import default_name, existing, models_folder, names, tells
from app.commands.group import config
from app.commands.models import models_group
from app.commands.printing import say
from app.errors import BrokenModel, StoreError, UnknownModel
from app.model import load_model
from app.signing import Signed
from app.store import Label, Labels, Repair, Store

Finding = tuple[str, bool, str]
"""What was checked, whether it is good, and what was found."""


@models_group.command("verify")
@click.argument("which", metavar="[NAME[/VERSION]]", required=False)
@click.option("--repair", is_flag=True, help="First clear what a writer that died left.")
def verify(which: str | None, repair: bool) -> None:
    """Check every byte and prove the golden rows; exit 1 if anything is broken.

    --repair removes unfinished files and labels of versions that are gone, and mends a default that
    names no model where there is but one. What is damaged it leaves as it is.
    """
    store = models_folder(Repair)
    broken = False
    for done in _repaired(store, which) if repair else ():
        say(f"repaired: {done}")
    if which is None and not names(store):
        say(f"there are no models to verify in {store.root.absolute()}", err=True)
    for label, good, found in _verified(store, which):
        say(f"{label}: {found}")
        broken = broken or not good
    if broken:
        sys.exit(1)


def _repaired(store: Repair, which: str | None) -> list[str]:
    name, version = (None, None) if which is None else existing(store, which)
    if version is not None:
        raise StoreError(f"a version never changes, so it cannot be repaired: repair {name}")
    return store.repair(name)


def _verified(store: Store, which: str | None) -> Iterator[Finding]:
    name, version = (None, None) if which is None else existing(store, which)
    known = names(store) if name is None else [name]
    if name is None and known and default_name(store, known) not in known:
        missing = "it names no model that exists: choose one with `models default NAME`"
        yield "default", False, missing
    for each in known:
        versions = store.versions(each) if version is None else [version]
        if not versions:
            yield each, False, "there is no version of it"
        for number in versions:
            yield f"{each}/{number}", *_checked(store, partial(_version, store, each, number))
        if version is None:
            yield f"{each}/current", *_checked(store, partial(_current, store, each))
            yield from _kept(store, each)


def _kept(store: Store, name: str) -> Iterator[Finding]:
    """Each label of a model, and its history if that is damaged; neither is signed."""
    for label, found in _labels(store, name).items():
        problem = _label_problem(store, name, found)
        yield f"{name}/{label}", problem is None, problem or "good"
    try:
        store.history(name)
    except BrokenModel as error:
        why = f"{error.message}: activate the version that is to answer, which begins it anew"
        yield f"{name}/history", False, why


def _checked(store: Store, check: Callable[[], Signed]) -> tuple[bool, str]:
    """Whether a check passes, and what it says."""
    try:
        signed = check()
    except (BrokenModel, UnknownModel) as error:
        return False, error.message
    return True, f"good, {signed}" if tells(store, signed) else "good"


def _version(store: Store, name: str, version: int) -> Signed:
    return load_model(store, name, version, config().runtime).signed


def _current(store: Store, name: str) -> Signed:
    pointer = store.current(name)
    if not pointer.names(store.open(name, pointer.version).manifest_sha256):
        raise BrokenModel("it names another manifest than the version has")
    return store.keys.check(pointer.statement(name), pointer.signature)


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
