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


def existing(store: Store, which: str) -> tuple[str, int | None]:
    """NAME or NAME/VERSION for a model that exists. Raises StoreError."""
    name, version = _parse(which)
    names = store.names()
    if name not in names:
        hint = nearest(name, names) if names else "there are none: publish one with train.py"
        raise StoreError(f"there is no model named {name!r}: {hint}")
    return name, version


def default_name(store: Store, names: Sequence[str]) -> str | None:
    """The model that a service with these settings answers with at /predict, by its name."""
    chosen = config().model or store.default()
    return names[0] if chosen is None and len(names) == 1 else chosen


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
