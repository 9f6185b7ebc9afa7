"""JSON web tokens and the sets of keys that verify them: in comes what was signed, as it is.

The first byte says what the rest is: the file of keys, a token, or what a token says, to be signed.
"""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from app.errors import StoreError
from app.security import Caller, Scope
from app.security.followed import Followed
from app.security.key_sets import ALGORITHMS, KeySet, parse
from app.security.tokens import LEEWAY_SECONDS, SCOPES, Tokens
from tests.fuzz.places import place
from tests.support.api_keys import Told
from tests.support.tokens import AUDIENCE, ISSUER, Issuer, key_set

FILE, TOKEN, SAID = b"f", b"t", b"s"
FAR = 33_000_000_000
RIGHT: Mapping[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "alice",
    "exp": FAR,
    "scope": "openid ordinate:predict",
}
CLAIMS: Mapping[str, tuple[Any, ...]] = {
    "iss": (None, "", 5, [ISSUER], ISSUER + "/"),
    "aud": ([AUDIENCE], ["x", AUDIENCE], [], None, "x", [5], {AUDIENCE: 1}),
    "sub": ("", None, 5, "x" * 201, "\u0000\n", "\ud800"),
    "exp": (0, -1, None, "33000000000", "soon", 1e300, 10**400, True, [1]),
    "nbf": (0, FAR, "x", None, 1.5),
    "iat": (0, FAR, "x", None, 1.5),
    "scope": ("ordinate:admin ordinate:predict", "", None, 5, ["ordinate:admin"]),
    "ordinate_models": ("a b", ["a", "b"], [], "", None, 5, {"a": 1}, [5]),
}
HEADERS: tuple[Any, ...] = (
    *({"alg": alg} for alg in ("none", "HS256", "ES256", "EdDSA", "RS256", None, 5, ["EdDSA"])),
    *({"kid": kid} for kid in ("es", "x", "", None, 5, ["ed"], {"a": 1})),
    *({"crit": crit} for crit in ([], ["exp"], ["b64"], 5)),
    *({"b64": False}, {"b64": False, "crit": ["b64"]}, {"jwk": {}, "jku": "http://x/"}),
    *({"typ": "JWT"}, {"typ": 5}, {"zip": "DEF"}, {"enc": "A128GCM"}, [], None, 5, "x"),
)
MEMBERS = ("kty", "crv", "x", "y", "kid", "alg", "use", "key_ops", "d")
VALUES: tuple[Any, ...] = (
    *(None, 5, True, "", "AAAA", "!", [], {}, ["verify"], ["sign"], "sig", "enc", "oct", "RSA"),
    *("EC", "OKP", "P-256", "P-384", "secp256k1", "Ed25519", "X25519", "EdDSA", "ES256", "HS256"),
)


def seeds() -> Iterator[bytes]:
    """Sets, tokens and claims, each of them right, and with each part as it should not be."""
    yield from (FILE + each for each in _sets())
    yield from (TOKEN + each.encode() for each in _texts())
    yield from (SAID + each for each in _statements())


def _sets() -> Iterator[bytes]:
    edwards, elliptic = _issuers()
    yield from (b"", b"[]", b"null", b'{"keys":5}', b'{"keys":[5]}', b'{"keys":[]}')
    yield key_set(edwards, elliptic)
    yield key_set(edwards, edwards)
    secret = json.loads(OKPAlgorithm.to_jwk(edwards.private))
    yield _set_of(secret | {"kid": edwards.kid})
    for member, value in product(MEMBERS, VALUES):
        yield _set_of(dict(elliptic.jwk) | {member: value})
    for bits, exponent in product(
        (1024, 2048, 8192, 8200), (b"\x01\x00\x01", b"\x01", b"\x02", b"")
    ):
        modulus = (1 << bits - 1 | 1).to_bytes(bits // 8, "big")
        yield _set_of({"kty": "RSA", "n": _part(modulus), "e": _part(exponent), "kid": "r"})


def _texts() -> Iterator[str]:
    yield from _signed()
    header, claims, signature = _signed()[0].split(".")
    unsigned = _part(json.dumps({"alg": "none"}).encode())
    for parts in ((header, claims), (header, claims, ""), (unsigned, claims, ""), ("",) * 3):
        yield ".".join(parts)
    yield f"{header}.{claims}.{signature}.x"


def _statements() -> Iterator[bytes]:
    for name, values in CLAIMS.items():
        for value in values:
            yield _said({}, {**RIGHT, name: value})
        yield _said({}, {other: RIGHT[other] for other in RIGHT if other != name})
    limited = {"scope": "ordinate:admin ordinate:predict", "ordinate_models": ["a"]}
    yield _said({}, {**RIGHT, **limited})
    for changed in HEADERS:
        yield _said(changed, RIGHT)
    yield b"[" * 2000 + b"\n" + b"[" * 2000


def check(data: bytes) -> None:
    """Take the rest for what the first byte says."""
    kind, rest = data[:1], data[1:]
    if kind == FILE:
        _check_set(rest)
    elif kind == SAID:
        _check_claims(rest)
    else:
        _check_token(rest.decode("latin-1"))


def _check_set(data: bytes) -> None:
    """It is refused in one sentence, or each key lets in what its own secret signed for it."""
    tokens = _tokens("any.json", data)
    told, found = "", dict[tuple[Any, Any], Any]()
    try:
        found |= parse(data)
    except StoreError as error:
        told = error.message
    assert told.isprintable()
    allowed = {name for several in ALGORITHMS.values() for name in several}
    for (kid, algorithm), each in found.items():
        assert algorithm == each.algorithm_name
        assert algorithm in allowed
        assert kid is None or isinstance(kid, str)
        assert not hasattr(each.key, "sign"), "it took a secret"
    for by, token in zip((*_issuers(), STRANGER), _signed(), strict=True):
        key = found.get((by.kid, by.algorithm))
        is_known = key is not None and key.key == by.private.public_key()
        assert (tokens.find(token) is not None) == is_known, by.kid


def _check_token(token: str) -> None:
    """Nobody comes in but by what was signed, to the letter; a signature can be written in ways."""
    found = _good().find(token)
    assert found in (None, Caller("jwt:alice", frozenset({Scope.PREDICT})))
    signed = [each.rpartition(".")[0] for each in _signed()[:-1]]
    assert found is None or token.rpartition(".")[0] in signed
    assert found == _good().find(token)


def _check_claims(data: bytes) -> None:
    """A header and claims, signed by a key that is known: let in if all that is asked for is there.

    A stranger's signature of the same never lets in.
    """
    header, _, claims = data.partition(b"\n")
    body = f"{_part(header)}.{_part(claims)}"
    by = _issuers()[0]
    found = _good().find(f"{body}.{_part(by.private.sign(body.encode()))}")
    assert _good().find(f"{body}.{_part(STRANGER.private.sign(body.encode()))}") is None
    if found is not None:
        said = json.loads(claims)
        assert found.name == f"jwt:{said['sub']}"
        _judge(json.loads(header), said, found)


def _judge(header: Any, said: Any, found: Caller) -> None:
    """Whether these claims may let in, as the documents say it."""
    assert (header["alg"], header["kid"], said["iss"]) == ("EdDSA", "ed", ISSUER)
    assert "crit" not in header or header["crit"] == []
    assert said["aud"] == AUDIENCE or AUDIENCE in said["aud"]
    now = time.time()
    assert int(said["exp"]) > now - LEEWAY_SECONDS - 1
    assert all(int(said.get(each) or 0) < now + LEEWAY_SECONDS + 1 for each in ("nbf", "iat"))
    asked = said.get("scope", "").split()
    models = said.get("ordinate_models")
    given = {scope for word, scope in SCOPES.items() if word in asked}
    assert found.scopes == (given if models is None else given - {Scope.ADMIN})
    wanted = models.split() if isinstance(models, str) else models
    assert found.models == (None if wanted is None else frozenset(wanted))


def _set_of(jwk: Mapping[str, Any]) -> bytes:
    return json.dumps({"keys": [jwk]}).encode()


def _said(header: Any, claims: Mapping[str, Any]) -> bytes:
    whole = {"alg": "EdDSA", "kid": "ed"} | header if isinstance(header, dict) else header
    return json.dumps(whole).encode() + b"\n" + json.dumps(claims).encode()


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _edwards(kid: str, secret: bytes) -> Issuer:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(secret)
    public = json.loads(OKPAlgorithm.to_jwk(private.public_key()))
    return Issuer(kid, "EdDSA", private, public | {"kid": kid, "alg": "EdDSA", "use": "sig"})


STRANGER = _edwards("ed", bytes(32))


@cache
def _issuers() -> tuple[Issuer, ...]:
    """Who is trusted, by the same keys in each process."""
    private = ec.derive_private_key(5, ec.SECP256R1())
    public = json.loads(ECAlgorithm.to_jwk(private.public_key()))
    elliptic = Issuer("es", "ES256", private, public | {"kid": "es", "use": "sig"})
    return _edwards("ed", bytes(range(32))), elliptic


@cache
def _signed() -> tuple[str, ...]:
    """A right token of each who is trusted, then one of the stranger."""
    return tuple(by.token(**RIGHT) for by in (*_issuers(), STRANGER))


@cache
def _good() -> Tokens:
    return _tokens("good.json", key_set(*_issuers()))


def _tokens(name: str, data: bytes) -> Tokens:
    """What knows tokens by the set of keys in a new file."""
    path = place(name)
    path.write_bytes(data)
    nothing: KeySet = {}
    return Tokens(Followed(path, parse, nothing, Told(), seconds=0.0), ISSUER, AUDIENCE)
