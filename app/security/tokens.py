"""JSON web tokens: signed by somebody who is trusted, for this service, at this time.

The file of keys (a JWK set) decides by which algorithm each key verifies; what a token says of
itself only chooses among them. So no token can have a public key taken for a secret one, nor ask
for no signature at all.
"""

import hashlib
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from app.config import Config
from app.security.callers import Caller, Scope
from app.security.followed import Followed, Tell
from app.security.key_sets import KeySet, parse

if TYPE_CHECKING:
    from jwt import PyJWK

LEEWAY_SECONDS = 10
"""By which the clocks of who signs and who verifies may differ."""

MAX_LENGTH = 8000
"""Characters; servers take no longer headers, and every step here is bounded by it."""

MOST_KEPT = 1024
"""Tokens that were verified and need not be again."""

SCOPES = {f"ordinate:{scope.value}": scope for scope in Scope}
"""Words of the claim `scope`, and what they stand for."""

MODELS = "ordinate_models"
"""The claim that limits a token to models: a list of names, or names with blanks between them."""

_REQUIRED = ["exp", "iss", "aud", "sub"]
_MAX_SUBJECT = 200


class _Verified(NamedTuple):
    caller: Caller
    until: float


class _Known(NamedTuple):
    """What was verified by these keys: with others, all is forgotten."""

    keys: KeySet
    found: dict[bytes, _Verified]


class Tokens:
    """Knows callers by tokens.

    Args:
        keys: what the JWK set holds.
        issuer: that tokens must be from.
        audience: that they must be for.
    """

    def __init__(self, keys: Followed[KeySet], issuer: str, audience: str) -> None:
        self._keys, self._issuer, self._audience = keys, issuer, audience
        self._known = _Known({}, {})
        self._lock = threading.Lock()

    @classmethod
    def of(cls, config: Config, tell: Tell) -> "Tokens | None":
        """As the settings say; None where no tokens are taken."""
        if config.jwks is None:
            return None
        nothing: KeySet = {}
        keys = Followed(config.jwks, parse, nothing, tell)
        return cls(keys, config.jwt_issuer or "", config.jwt_audience or "")

    def look(self) -> None:
        """Read the file now if it has changed."""
        self._keys.value()

    def find(self, token: str) -> Caller | None:
        """Who shows this token; None where it is not right."""
        keys, known = self._keys.value(), self._known
        if known.keys is not keys:
            self._known = known = _Known(keys, {})
        if len(token) > MAX_LENGTH or not token.isascii():
            return None
        digest = hashlib.sha256(token.encode("ascii")).digest()
        kept = known.found.get(digest)
        if kept is not None and time.time() < kept.until:
            return kept.caller
        verified = self._verify(keys, token)
        if verified is None:
            return None
        with self._lock:
            known.found.pop(digest, None)
            if len(known.found) >= MOST_KEPT:
                del known.found[next(iter(known.found))]
            known.found[digest] = verified
        return verified.caller

    def _verify(self, keys: KeySet, token: str) -> _Verified | None:
        import jwt  # noqa: PLC0415 - most services take no tokens

        try:
            key = _choose(keys, jwt.get_unverified_header(token))
            if key is None:
                return None
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": _REQUIRED},
            )
            caller = caller_of(claims)
            until = int(claims["exp"]) + LEEWAY_SECONDS
            return None if caller is None else _Verified(caller, until)
        except Exception:  # noqa: BLE001 - whatever a library stumbles over in it, it is no good
            return None


def caller_of(claims: Mapping[str, Any]) -> Caller | None:
    """Who a token that was verified is about; None where its claims make no sense."""
    subject, scope = claims["sub"], claims.get("scope", "")
    if not isinstance(scope, str) or not 0 < len(subject) <= _MAX_SUBJECT:
        return None
    if not subject.isprintable():  # nor is half a surrogate pair, which nothing could write
        return None
    scopes = {SCOPES[word] for word in scope.split() if word in SCOPES}
    if MODELS not in claims:  # null may be what is made of somebody who has none
        return Caller(f"jwt:{subject}", frozenset(scopes))
    said = claims[MODELS]
    models = said.split() if isinstance(said, str) else said
    if not isinstance(models, list) or not all(isinstance(each, str) for each in models):
        return None
    # Who is limited to some models is not one to look after all.
    return Caller(f"jwt:{subject}", frozenset(scopes - {Scope.ADMIN}), frozenset(models))


def _choose(keys: KeySet, header: Mapping[str, Any]) -> "PyJWK | None":
    """The key that a token names, if it is for the algorithm that it names as well."""
    kid, algorithm = header.get("kid"), header.get("alg")
    if kid is None and len(keys) == 1:
        (only,) = keys.values()
        return only if only.algorithm_name == algorithm else None
    return keys.get((kid, algorithm))
