"""What is kept of an API key, and the file that holds it: everything but the key."""

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from app.casts import model
from app.errors import StoreError
from app.security.api_keys import DIGITS, ID_LENGTH
from app.security.callers import Caller, Scope

FORMAT = 1
LAST_SECOND = 253_402_300_799
"""Of the year 9999, behind which nothing can be written as a date, Unix time."""

_ID = re.compile(rf"[{DIGITS}]{{{ID_LENGTH}}}")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._@-]{0,61}[A-Za-z0-9._@-])?")
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_MEMBERS = frozenset(("id", "name", "digest", "scopes", "models", "created", "expires"))


@dataclass(frozen=True, slots=True)
class Record:
    """One key.

    Attributes:
        id: by which it is found.
        digest: of the key, 32 bytes.
        caller: who shows it: its name, scopes and models.
        created: Unix time in seconds.
        expires: Unix time in seconds; None for never.
    """

    id: str
    digest: bytes
    caller: Caller
    created: int
    expires: int | None

    @property
    def name(self) -> str:
        """Its name, which keys share while one takes the place of another."""
        return self.caller.name or ""

    def is_over(self, now: float) -> bool:
        """Whether it has expired at this Unix time."""
        return self.expires is not None and self.expires <= now

    def described(self) -> dict[str, Any]:
        """All that may be shown of it."""
        models = self.caller.models
        return {
            "id": self.id,
            "name": self.name,
            "scopes": sorted(self.caller.scopes),
            "models": None if models is None else sorted(models),
            "created": utc(self.created),
            "expires": None if self.expires is None else utc(self.expires),
        }


def is_name(text: str) -> bool:
    """Whether a key may be called so."""
    return _NAME.fullmatch(text) is not None


def utc(second: int) -> str:
    """A Unix time as ISO 8601."""
    return time.strftime(_TIME, time.gmtime(second))


def to_bytes(records: Iterable[Record]) -> bytes:
    """The content of a file of keys."""
    keys = [each.described() | {"digest": each.digest.hex()} for each in records]
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps({"format": FORMAT, "keys": keys}, option=options)


def from_bytes(data: bytes) -> list[Record]:
    """Read it back. Raises StoreError, which names the place but no digest."""
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise StoreError(f"it is not valid JSON: {error.msg}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise StoreError(f"it is not a file of keys in the format {FORMAT}")
    keys = content.get("keys")
    if content.keys() != {"format", "keys"} or not isinstance(keys, list):
        raise StoreError("it must have a list of keys, and nothing else")
    return _unique([_record(index, each) for index, each in enumerate(keys)])


def _unique(records: list[Record]) -> list[Record]:
    if len({each.id for each in records}) < len(records):
        raise StoreError("two of its keys have the same id")
    return records


def _record(index: int, entry: Any) -> Record:
    try:
        if entry.keys() != _MEMBERS or not _ID.fullmatch(entry["id"]) or not is_name(entry["name"]):
            raise ValueError
        digest = bytes.fromhex(entry["digest"])
        if len(digest) != 32:
            raise ValueError
        scopes = frozenset(Scope(each) for each in _list(entry["scopes"]))
        models = entry["models"]
        allowed = None if models is None else frozenset(model(each) for each in _list(models))
        if not scopes or (Scope.ADMIN in scopes and allowed is not None):
            raise ValueError
        expires = entry["expires"]
        return Record(
            entry["id"],
            digest,
            Caller(entry["name"], scopes, allowed),
            _second(entry["created"]),
            None if expires is None else _second(expires),
        )
    except (AttributeError, TypeError, ValueError):
        raise StoreError(f"its key number {index + 1} is not as it should be") from None


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise ValueError
    return value


def _second(text: Any) -> int:
    found = int(datetime.fromisoformat(text).timestamp())
    if utc(found) != text:
        raise ValueError
    return found
