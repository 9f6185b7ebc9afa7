"""What a setting is, and how it is read from the environment."""

import difflib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import ConfigError

PREFIX = "ORDINATE_"

_IN_FILE = "_FILE"
_SHOWN_CHARACTERS = 80

# Kubernetes tells every container of the Services beside it: a Service called `ordinate` or
# `ordinate-anything` puts these names in our environment, and they are not meant for us.
_SERVICE_NAME = re.compile(
    rf"{PREFIX}(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?)"
)
_SERVICE_LINK = re.compile(r"(tcp|udp|sctp)://.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        variable: the environment variable; absent or empty means the default.
        field: attribute of `Config` that holds the value.
        default: as it would be written in the environment; empty for none.
        cast: text to value; raises ValueError for what is not allowed.
        allowed: what `cast` takes, in words that follow "allowed is".
        purpose: one sentence for the reader of the documentation.
        secret: whether the value must not be shown. It can then be read from a file as well, which
            the variable with ``_FILE`` at its end names; its cast gives a `Secret`.
    """

    variable: str
    field: str
    default: str
    cast: Callable[[str], Any]
    allowed: str
    purpose: str
    secret: bool = False

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that can hold it, or lead to it."""
        return (self.variable, self.variable + _IN_FILE) if self.secret else (self.variable,)

    def read(self, env: Mapping[str, str]) -> Any:
        """Read this setting from `env`. Raises ConfigError."""
        text = env.get(self.variable) or self.default
        if self.secret and (file := env.get(self.variable + _IN_FILE)):
            text = self._in_file(file, text)
        try:
            return self.cast(text)
        except ValueError:
            shown = "not what it should be" if self.secret else _shown(text)
            raise ConfigError(f"{self.variable} is {shown}, allowed is {self.allowed}") from None

    def _in_file(self, file: str, text: str) -> str:
        """What the file holds, without the end of its last line. Raises ConfigError."""
        variable = self.variable + _IN_FILE
        if text:
            raise ConfigError(f"{self.variable} and {variable} are both set: unset one of them")
        try:
            found = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise ConfigError(
                f"{variable} names {_shown(file)}, which cannot be read: {why}"
            ) from None
        if not found:
            raise ConfigError(f"{variable} names {_shown(file)}, which is empty")
        return found


def unknown_settings(env: Mapping[str, str], settings: Sequence[Setting]) -> tuple[str, ...]:
    """Give a sentence for each variable of `env` with our prefix that is none of the settings."""
    known = [name for setting in settings for name in setting.variables]
    strangers = (
        name
        for name in sorted(env)
        if name.startswith(PREFIX) and name not in known and not _is_injected(name, env[name])
    )
    return tuple(_complaint(name, known) for name in strangers)


def _is_injected(name: str, value: str) -> bool:
    if name.endswith("_PORT") and _SERVICE_LINK.fullmatch(value):
        return True
    return _SERVICE_NAME.fullmatch(name) is not None


def _complaint(name: str, known: list[str]) -> str:
    plain = {variable.removeprefix(PREFIX): variable for variable in known}
    near = difflib.get_close_matches(name.removeprefix(PREFIX), plain, n=1)
    hint = f"; did you mean {plain[near[0]]}?" if near else ""
    return f"{_shown(name)[1:-1]} is not a setting{hint}"


def _shown(text: str) -> str:
    if len(text) > _SHOWN_CHARACTERS:
        text = text[:_SHOWN_CHARACTERS] + "..."
    return json.dumps(text)
