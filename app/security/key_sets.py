"""JWK sets: the public keys of who signs tokens, each for one algorithm."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from app.errors import StoreError

if TYPE_CHECKING:
    from jwt import PyJWK

KeySet = Mapping[tuple[Any, Any], "PyJWK"]
"""Keys by their id, which may be None, and their algorithm."""

ALGORITHMS: Mapping[tuple[str, str | None], tuple[str, ...]] = {
    ("RSA", None): ("RS256", "PS256"),
    ("EC", "P-256"): ("ES256",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
"""Kind and curve of a key -> what it may verify by, the first where it does not say itself."""

MOST_KEYS = 100
_RSA_BITS = range(2048, 8193)


def parse(data: bytes) -> KeySet:
    """Read a JWK set; keys that are for something else are passed over. Raises StoreError."""
    found: dict[tuple[Any, Any], PyJWK] = {}
    for number, entry in enumerate(_entries(data), 1):
        algorithm = _algorithm(entry)
        if algorithm is None:
            continue
        key = _key(number, entry, algorithm)
        if (key.key_id, algorithm) in found:
            raise StoreError(f"its key number {number} has the id of another")
        found[key.key_id, algorithm] = key
    if not found:
        known = ", ".join(each for several in ALGORITHMS.values() for each in several)
        raise StoreError(f"it has no public key for any of {known}")
    return found


def _entries(data: bytes) -> list[dict[str, Any]]:
    try:
        entries = orjson.loads(data)["keys"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise StoreError('it is not a JWK set: {"keys": [...]}') from None
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise StoreError("its keys are not a list of objects")
    if len(entries) > MOST_KEYS:
        raise StoreError(f"it has more than {MOST_KEYS} keys")
    if any(each.get("kty") == "oct" or "d" in each for each in entries):
        raise StoreError("it holds a secret or private key: only public ones belong here")
    return entries


def _algorithm(entry: Mapping[str, Any]) -> str | None:
    """The one algorithm of a key; None where it is none of ours, or not for signatures."""
    kind, curve = entry.get("kty"), entry.get("crv")
    operations = entry.get("key_ops", ["verify"])
    operations = operations if isinstance(operations, list) else []
    if entry.get("use", "sig") != "sig" or "verify" not in operations:
        return None
    if not isinstance(kind, str) or not isinstance(curve, str | None):
        return None
    allowed = ALGORITHMS.get((kind, curve), ())
    said = entry.get("alg", allowed[0] if allowed else None)
    return said if said in allowed else None


def _key(number: int, entry: dict[str, Any], algorithm: str) -> "PyJWK":
    import jwt  # noqa: PLC0415 - most services take no tokens

    wrong = StoreError(f"its key number {number} is not as it should be")
    if not isinstance(entry.get("kid"), str | None):
        raise wrong
    try:
        key = jwt.PyJWK(entry, algorithm)
    except Exception:  # noqa: BLE001 - of the library, which shows the key in its message
        raise wrong from None
    if entry["kty"] == "RSA" and key.key.key_size not in _RSA_BITS:
        raise StoreError(f"its key number {number} has {key.key.key_size} bits, 2048 are needed")
    return key
