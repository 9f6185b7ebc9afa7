"""The context that new connections get, made anew when its files have changed."""

import math
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from app.config import Config
from app.errors import ConfigError
from app.tls.context import make_context
from app.tls.files import Files

if TYPE_CHECKING:
    from app.tls.certificates import Facts

FIRST_DELAY, LAST_DELAY = 1.0, 60.0
"""Seconds after which refused files are read again although they are the same, twice as many each
time: it may have been the disk, or this process, and not what is in them."""


class Change(NamedTuple):
    """What became of changed files.

    Attributes:
        refused: why they are not used; None where they are.
        expires: when the certificate that is used expires.
        warnings: about those files, if they are used.
    """

    refused: str | None
    expires: datetime
    warnings: tuple[str, ...] = ()


class Live:
    """The context of one process, and a newer one as soon as there is one.

    A context is never changed: it is replaced as a whole, so that every connection sees one
    certificate with its own key, and one list of revoked certificates.

    Args:
        files: that it is made from.
        clock: seconds that only rise.

    Attributes:
        context: for the next connection.

    Raises:
        ConfigError: it cannot be made.
    """

    def __init__(self, files: Files, clock: Callable[[], float] = time.monotonic) -> None:
        self._files, self._clock = files, clock
        self._delay, self._again = FIRST_DELAY, math.inf
        self._told: str | None = None
        self._seen = files.identity()
        self.context, self._facts = _load(files)

    @classmethod
    def of(cls, config: Config) -> "Live | None":
        """The one that the settings ask for, if they do. Raises ConfigError."""
        files = Files.of(config)
        return None if files is None else cls(files)

    @property
    def expires(self) -> datetime:
        """When the certificate that is used does."""
        return self._facts.expires

    @property
    def warnings(self) -> tuple[str, ...]:
        """About the files that are used."""
        return self._facts.warnings

    @property
    def seen(self) -> tuple[object, ...]:
        """What the files were when they were last looked at."""
        return self._seen

    def identity(self) -> tuple[object, ...]:
        """What the files are now."""
        return self._files.identity()

    def look(self) -> Change | None:
        """Take over what has changed since the last look; what is wrong is not taken over.

        What was refused is read again after a while; it is told once for each reason.
        """
        found = self.identity()
        if found != self._seen:
            self._seen, self._told, self._delay = found, None, FIRST_DELAY
        elif self._clock() < self._again:
            return None
        self._again, self._delay = self._clock() + self._delay, min(2 * self._delay, LAST_DELAY)
        try:
            context, facts = _load(self._files)
            if facts.warnings and self._facts.is_good(datetime.now(UTC)):
                raise ConfigError("; ".join(facts.warnings))  # clients take what is used now
        except ConfigError as error:
            before, self._told = self._told, error.message
            return None if before == error.message else Change(error.message, self.expires)
        self.context, self._facts, self._again = context, facts, math.inf
        return Change(None, facts.expires, facts.warnings)


def _load(files: Files) -> "tuple[ssl.SSLContext, Facts]":
    """Make a context of files that stay as they are meanwhile. Raises ConfigError."""
    from app.tls.certificates import inspect  # noqa: PLC0415 - its library takes 12 MB

    before = files.identity()
    facts = inspect(files)
    context = make_context(files, facts.parts)
    if files.identity() != before:
        raise ConfigError(f"{files.cert} or a file with it changed while it was read: try again")
    return context, facts
