"""The models folder, as the commands find it and what is in it."""

from collections.abc import Sequence
from typing import TypeVar

from app.commands.group import config
from app.diagnosis import nearest, shortened
from app.errors import StoreError
from app.signing import Keys, Signed
from app.store import Store, check_name, version_number

_Kind = TypeVar("_Kind", bound=Store)


def models_folder(kind: type[_Kind]) -> _Kind:
    """The models folder of the settings, with their keys. Raises ConfigError."""
    return kind(config().models, Keys.to_sign(config()), config().max_model_bytes)


def names(store: Store) -> list[str]:
    """The models of a folder, which is named where it cannot be read. Raises StoreError."""
    try:
        return store.names()
    except StoreError as error:
        raise StoreError(f"{store.root.absolute()}: {error.message}") from error


def existing(store: Store, which: str) -> tuple[str, int | None]:
    """NAME or NAME/VERSION for a model that exists. Raises StoreError."""
    name, version = _parse(which)
    known = names(store)
    if name not in known:
        none = f"there are none in {store.root.absolute()}: publish one with train.py"
        hint = nearest(name, known) if known else none
        raise StoreError(f"there is no model named {name!r}: {hint}")
    return name, version


def default_name(store: Store, known: Sequence[str]) -> str | None:
    """The model that a service with these settings answers with at /predict, by its name."""
    chosen = config().model or store.default()
    return known[0] if chosen is None and len(known) == 1 else chosen


def tells(store: Store, signed: Signed) -> bool:
    """Whether a signature is worth a word: who does not sign need not read of it."""
    return store.keys.used or signed.key is not None


def _parse(which: str) -> tuple[str, int | None]:
    """NAME or NAME/VERSION. Raises StoreError."""
    name, slash, number = which.partition("/")
    version = version_number(number)
    if slash and version is None:
        raise StoreError(f"{shortened(which)!r} is not NAME or NAME/VERSION, such as diabetes/1")
    return check_name(name), version
