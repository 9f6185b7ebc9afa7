"""Loading versions, telling of it, and not reading again and again what is refused."""

import time
from collections.abc import Callable, Container
from dataclasses import dataclass

from app.errors import BrokenModel
from app.model import Model, load_model
from app.runtimes import Choice
from app.store import Reader

FIRST_DELAY, LAST_DELAY = 2.0, 300.0
"""Seconds until what is refused is read again although its files are the same; doubled each time.

Their bytes are the same then, but a library may have come, or memory, or a disk that answers.
"""

Key = tuple[str, int, str | None]


@dataclass(frozen=True, slots=True)
class LoadEvent:
    """A version was looked at: ``loaded``, ``refused`` (with the reason) or ``gone``."""

    name: str
    version: int | None
    outcome: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a version was refused, how its files were then, and when to look all the same."""

    why: str
    fingerprint: tuple[tuple[str | int, ...], ...]
    delay: float
    until: float


class Loader:
    """Makes models of published versions. Not to be used by two threads at a time.

    Args:
        reader: of the models folder.
        choice: of the runtime.
        tell: called with each LoadEvent; with a refusal once for each reason.
        clock: seconds that only rise.
    """

    def __init__(
        self,
        reader: Reader,
        choice: Choice,
        tell: Callable[[LoadEvent], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._choice: Choice = choice
        self._tell = tell
        self._clock = clock
        self._refusals: dict[Key, _Refusal] = {}
        self._told: dict[tuple[str, int | str | None], str] = {}

    def load(
        self, name: str, version: int, sha256: str | None = None, although: str | None = None
    ) -> Model:
        """Load a version, unless it was refused and nothing has changed since.

        Args:
            name, version: of what is to be loaded.
            sha256: that its manifest must have, if any.
            although: what to tell beside that it was loaded.

        Raises:
            UnknownModel: there is no such version.
            BrokenModel: it must not be used; the message says why.
        """
        key = (name, version, sha256)
        fingerprint = self._reader.fingerprint(name, version)
        known = self._refusals.get(key)
        if known and known.fingerprint == fingerprint and self._clock() < known.until:
            raise BrokenModel(known.why)
        try:
            model = self._read(name, version, sha256)
        except BrokenModel as error:
            same = known is not None and known.fingerprint == fingerprint
            delay = min(2 * known.delay, LAST_DELAY) if known and same else FIRST_DELAY
            until = self._clock() + delay
            self._refusals[key] = _Refusal(error.message, fingerprint, delay, until)
            raise
        self._refusals.pop(key, None)
        self._told.pop((name, version), None)
        self._tell(LoadEvent(name, version, "loaded", although))
        return model

    def refuse(self, name: str, what: int | str | None, why: str) -> None:
        """Tell of a refusal, but once: what is broken is looked at again and again.

        `what` is a version, a label, or None for the file that says what is current.
        """
        if self._told.get((name, what)) != why:
            self._told[name, what] = why
            version = what if isinstance(what, int) else None
            self._tell(LoadEvent(name, version, "refused", why))

    def approve(self, name: str, what: str | None) -> None:
        """Forget that a label, or the file that says what is current, was refused."""
        self._told.pop((name, what), None)

    def forget(self, names: Container[str]) -> None:
        """Forget what was refused of models with other names."""
        self._refusals = {key: each for key, each in self._refusals.items() if key[0] in names}
        self._told = {key: why for key, why in self._told.items() if key[0] in names}

    def _read(self, name: str, version: int, sha256: str | None) -> Model:
        model = load_model(self._reader, name, version, self._choice)
        if sha256 not in (None, model.manifest_sha256):
            raise BrokenModel("its manifest is not the one that was meant")
        return model
