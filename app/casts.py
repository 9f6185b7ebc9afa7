"""From the text of an environment variable to a value; what is not allowed raises ValueError."""

import hmac
import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

_INTEGER = re.compile(r"[0-9]{1,15}", re.ASCII)
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")

MODEL_NAME = re.compile(r"(?!default\Z)[a-z0-9][a-z0-9_-]{0,62}")
"""What a model may be called: a file `default` stands beside the models."""

_T = TypeVar("_T")

Networks = frozenset[ipaddress.IPv4Network | ipaddress.IPv6Network | None]
"""Networks of IP; None stands for UNIX sockets."""


class Secret:
    """A text that shows itself only where it is asked to."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(
            self._text.encode(), other._text.encode()
        )

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret(***)"


def integer(low: int, high: int) -> Callable[[str], int]:
    """Plain digits for a number from `low` to `high`."""

    def cast(text: str) -> int:
        if not _INTEGER.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return cast


def one_of(*words: str) -> Callable[[str], str]:
    """One of these words."""

    def cast(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return cast


def optional(cast: Callable[[str], _T]) -> Callable[[str], _T | None]:
    """The same, or None for an empty text."""
    return lambda text: cast(text) if text else None


def switch(text: str) -> bool:
    """Whether it is ``on``, and not ``off``."""
    return one_of("on", "off")(text) == "on"


def model(text: str) -> str:
    """The name of a model."""
    return _matching(MODEL_NAME, text)


def host(text: str) -> str:
    """A name of a host or an IP address."""
    return _matching(_HOST, text)


def path(text: str) -> Path:
    """A file or a folder, which need not be there."""
    return Path(text)


def all_or_some(text: str) -> int | None:
    """How many, None for ``all``."""
    return None if text == "all" else integer(1, 1_000_000)(text)


def share(text: str) -> tuple[str, float]:
    """``NAME:PERCENT`` as the name of a model and a share from 0 to 1."""
    name, _, percent = text.partition(":")
    found = float(_matching(_PERCENT, percent))
    if found > 100:
        raise ValueError(text)
    return model(name), found / 100


def proxies(text: str) -> Networks:
    """Networks and single addresses; ``unix`` for UNIX sockets."""
    parts = [part.strip() for part in text.split(",")] if text else []
    return frozenset(None if part == "unix" else ipaddress.ip_network(part) for part in parts)


def written(value: object) -> str:
    """A value as its setting takes it; empty where that says nothing."""
    if isinstance(value, tuple):
        name, part = value
        return f"{name}:{100 * part:.12g}"
    if isinstance(value, frozenset):
        return ",".join(sorted("unix" if each is None else str(each) for each in value))
    return str(value)


def redis_url(text: str) -> Secret:
    """Where a Redis is. Nothing in it can change how it is spoken to, but the file of its CAs."""
    url = urlsplit(text)
    query = parse_qs(url.query, keep_blank_values=True, strict_parsing=bool(url.query))
    if (
        url.scheme not in ("redis", "rediss")
        or not _HOST.fullmatch(url.hostname or "")
        or url.port == 0  # raises ValueError where it is no port
        or not re.fullmatch(r"(/[0-9]{0,4})?", url.path)
        or url.fragment
        or set(query) - {"ssl_ca_certs"}
        or (query and url.scheme == "redis")
    ):
        raise ValueError(text)
    return Secret(text)


def _matching(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(text)
    return text
