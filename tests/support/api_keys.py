"""Real API keys in real files, and rings that hold them."""

from pathlib import Path

from app.security import LOCAL, Caller, KeyFile, KeyRing, Scope, Sender, Shown
from app.security.followed import Followed
from app.security.key_ring import Known
from app.security.tokens import Tokens
from app.security.uses import Uses, places

PREDICTS = frozenset({Scope.PREDICT})
RULES = frozenset({Scope.ADMIN})


def made(
    path: Path,
    name: str = "reader",
    scopes: frozenset[Scope] = PREDICTS,
    models: frozenset[str] | None = None,
    days: int | None = None,
) -> str:
    """A new key in a file."""
    return KeyFile(path).add(Caller(name, scopes, models), days).text


class Told(list[tuple[str, str]]):
    """Events, by level and text."""

    def __call__(self, level: str, text: str) -> None:
        self.append((level, text))


def ring(path: Path, told: Told | None = None, tokens: Tokens | None = None) -> KeyRing:
    """What knows the keys of a file, and looks at it each time."""
    tell = Told() if told is None else told
    keys = Followed(path, Known.read, Known.of(()), tell, seconds=0.0)
    return KeyRing(keys, Uses(places(path, None), lambda: keys.value().by_id, tell), tokens)


def bearer(key: str) -> Shown:
    """A key as the Authorization header shows it."""
    return Shown(f"Bearer {key}", None)


def name_of(keys: KeyRing, shown: Shown, sender: Sender = LOCAL) -> str | None:
    """The name of who shows this."""
    caller = keys.find(shown, sender)
    return None if caller is None else caller.name
