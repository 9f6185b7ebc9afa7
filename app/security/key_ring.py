"""The keys of a service: who shows what it takes to come in."""

import hmac
import time
from collections.abc import Iterable
from typing import NamedTuple

from app.config import Config
from app.masking import PREFIX
from app.security.api_keys import digest_of, id_of
from app.security.callers import Caller, Sender, Shown
from app.security.followed import Followed, Tell
from app.security.records import Record, from_bytes
from app.security.tokens import Tokens
from app.security.uses import Uses, places

_NOBODY = bytes(32)
"""Compared with where no key has the id that is shown: as much work as for one that has it."""

_SCHEME = "bearer "


class Known(NamedTuple):
    """All keys, by what they are looked for."""

    by_id: dict[str, Record]
    by_name: dict[str, list[Record]]

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Known":
        """Sort them."""
        found = cls({}, {})
        for each in records:
            found.by_id[each.id] = each
            found.by_name.setdefault(each.name, []).append(each)
        return found

    @classmethod
    def read(cls, data: bytes) -> "Known":
        """Those in the content of a file. Raises StoreError."""
        return cls.of(from_bytes(data))


class KeyRing:
    """Knows callers by their API key, their token, or the name in their client certificate.

    Args:
        keys: what the file of keys holds.
        uses: is told of each key that was right.
        tokens: knows callers by JSON web tokens; None where none are taken.
    """

    def __init__(self, keys: Followed[Known], uses: Uses, tokens: Tokens | None = None) -> None:
        self._keys, self._uses, self._tokens = keys, uses, tokens

    @classmethod
    def of(cls, config: Config, tell: Tell) -> "KeyRing | None":
        """As the settings say; None where no key is asked for. Reads no file yet."""
        if not config.auth:
            return None
        keys = Followed(config.keys, Known.read, Known.of(()), tell)
        uses = Uses(places(config.keys, config.state), lambda: keys.value().by_id, tell)
        return cls(keys, uses, Tokens.of(config, tell))

    def find(self, shown: Shown, sender: Sender) -> Caller | None:
        """Who shows this; None where it is not right. A right certificate excuses no wrong key."""
        authorization, api_key = shown
        if authorization is None:
            if api_key is None:
                return self._by_certificate(sender.certificate)
            return self._by_key(api_key)
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            return None
        text = authorization[len(_SCHEME) :].strip(" ")
        if api_key is not None and api_key != text:
            return None
        if self._tokens is not None and not text.startswith(PREFIX):
            return self._tokens.find(text)
        return self._by_key(text)

    def look(self) -> None:
        """Read the files now if they have changed, rather than at the next request."""
        self._keys.value()
        if self._tokens is not None:
            self._tokens.look()

    def listed(self) -> list[tuple[Record, int | None]]:
        """All keys, each with the Unix time of its last use, as far as that is known."""
        last = self._uses.last()
        return [(each, last.get(each.id)) for each in self._keys.value().by_id.values()]

    def _by_key(self, text: str) -> Caller | None:
        found = id_of(text)
        if found is None:
            return None
        record = self._keys.value().by_id.get(found)
        digest = _NOBODY if record is None else record.digest
        if not hmac.compare_digest(digest_of(text), digest) or record is None:
            return None
        return self._let_in(record)

    def _by_certificate(self, name: str | None) -> Caller | None:
        if name is None:
            return None
        for record in self._keys.value().by_name.get(name, ()):
            if (caller := self._let_in(record)) is not None:
                return caller
        return None

    def _let_in(self, record: Record) -> Caller | None:
        now = time.time()  # a date in a file is one of the wall clock
        if record.is_over(now):
            return None
        self._uses.note(record.id, now)
        return record.caller
