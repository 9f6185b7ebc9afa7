"""How models and versions are called, on disk and in URLs."""

import re

from app.casts import MODEL_NAME
from app.errors import StoreError

_TAKEN = "default"
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_SHOWN = 80


def is_name(text: str) -> bool:
    """Whether a model may be called this."""
    return MODEL_NAME.fullmatch(text) is not None


def check_name(text: str) -> str:
    """The name itself. Raises StoreError with the rule when a model may not be called this."""
    if text == _TAKEN:
        raise StoreError(f"{text!r} cannot be a model's name: the models folder has a file for it")
    if not is_name(text):
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
        raise StoreError(
            f"{shown!r} cannot be a model's name: use a to z, 0 to 9, _ and -, at most 63 of them, "
            "with a letter or digit first"
        )
    return text


def version_number(text: str) -> int | None:
    """The version that a name of a folder or a part of a URL stands for, None if for none."""
    return int(text) if _VERSION.fullmatch(text) else None
