"""JSON web tokens: what comes in, and everything that has ever been tried to come in without."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from app.errors import StoreError
from app.security import LOCAL, Caller, Shown
from app.security.followed import Followed
from app.security.key_sets import KeySet, parse
from app.security.tokens import LEEWAY_SECONDS, MOST_KEPT, Tokens
from tests.support.api_keys import PREDICTS, RULES, Told, bearer, made, name_of, ring
from tests.support.tokens import AUDIENCE, ISSUER, In, Issuer, issuer, key_set

ISSUERS = {
    each.algorithm: each
    for each in (issuer(name.lower(), name) for name in ("RS256", "PS256", "ES256", "EdDSA"))
}
RSA = ISSUERS["RS256"]


def tokens(path: Path, told: Told | None = None) -> Tokens:
    """What takes the tokens of the keys in a file, which it looks at each time."""
    nothing: KeySet = {}
    tell = Told() if told is None else told
    return Tokens(Followed(path, parse, nothing, tell, seconds=0.0), ISSUER, AUDIENCE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "jwks.json"
    found.write_bytes(key_set(*ISSUERS.values()))
    return found


@pytest.fixture
def taken(path: Path) -> Tokens:
    return tokens(path)


@pytest.mark.parametrize("algorithm", ISSUERS)
def test_a_right_token_comes_in_by_each_algorithm(algorithm: str, taken: Tokens) -> None:
    token = ISSUERS[algorithm].token()

    assert taken.find(token) == Caller("jwt:alice", PREDICTS)
    assert taken.find(token) == Caller("jwt:alice", PREDICTS)  # as remembered


@pytest.mark.parametrize(
    ("claims", "caller"),
    [
        ({"scope": "ordinate:admin"}, Caller("jwt:alice", RULES)),
        ({"scope": "ordinate:admin ordinate:predict"}, Caller("jwt:alice", PREDICTS | RULES)),
        ({"scope": "predict admin ordinate:"}, Caller("jwt:alice", frozenset())),
        ({"scope": None}, Caller("jwt:alice", frozenset())),
        ({"ordinate_models": ["a", "b"]}, Caller("jwt:alice", PREDICTS, frozenset("ab"))),
        ({"ordinate_models": "a b"}, Caller("jwt:alice", PREDICTS, frozenset("ab"))),
        ({"ordinate_models": []}, Caller("jwt:alice", PREDICTS, frozenset())),
        (
            {"ordinate_models": ["a"], "scope": "ordinate:admin"},
            Caller("jwt:alice", frozenset(), frozenset("a")),
        ),
        ({"aud": ["other", AUDIENCE]}, Caller("jwt:alice", PREDICTS)),
        ({"exp": In(-LEEWAY_SECONDS // 2)}, Caller("jwt:alice", PREDICTS)),
        ({"sub": "Zo\u00eb \U0001f600|1"}, Caller("jwt:Zo\u00eb \U0001f600|1", PREDICTS)),
        ({"nbf": In(-5), "iat": In(0)}, Caller("jwt:alice", PREDICTS)),
    ],
)
def test_claims_say_who_it_is_and_what_for(
    claims: dict[str, Any], caller: Caller, taken: Tokens
) -> None:
    assert taken.find(RSA.token(**claims)) == caller


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": ISSUER + "/"},
        {"iss": [ISSUER]},
        {"iss": None},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": []},
        {"aud": None},
        {"exp": In(-60)},
        {"exp": None},
        {"exp": "soon"},
        {"exp": [1]},
        {"nbf": In(3600)},
        {"nbf": "later"},
        {"iat": In(3600)},
        {"sub": None},
        {"sub": ""},
        {"sub": 5},
        {"sub": "x" * 201},
        {"sub": "\ud800"},
        {"sub": "a\udfffb"},
        {"sub": "a\n"},
        {"sub": "\x7f"},
        {"sub": "\x9b2J"},
        {"sub": "\u2028"},
        {"sub": "\u202ea"},
        {"scope": ["ordinate:predict"]},
        {"scope": 5},
        {"ordinate_models": 5},
        {"ordinate_models": {"a": 1}},
        {"ordinate_models": [5]},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_does_not_come_in(claims: dict[str, Any], taken: Tokens) -> None:
    try:
        token = RSA.token(**claims)
    except TypeError:  # the library does not write it
        token = forged(RSA, {"alg": "RS256", "kid": RSA.kid}, claims)

    assert taken.find(token) is None


def test_null_is_no_list_of_models_and_does_not_stand_for_all(taken: Tokens) -> None:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": int(time.time()) + 300}
    null = claims | {"scope": "ordinate:predict", "ordinate_models": None}

    token = jwt.encode(null, RSA.private, RSA.algorithm, headers={"kid": RSA.kid})

    assert taken.find(token) is None


def part(content: Any) -> str:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(by: Issuer, header: dict[str, Any], claims: dict[str, Any] | None = None) -> str:
    """A token with any header, signed by RSA in fact."""
    from_right = json.loads(base64.urlsafe_b64decode(by.token().split(".")[1] + "=="))
    body = f"{part(header)}.{part(from_right | (claims or {}))}"
    signature = by.private.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{body}.{part(signature)}"


def test_the_forge_makes_good_tokens_of_good_headers(taken: Tokens) -> None:
    assert taken.find(forged(RSA, {"alg": "RS256", "kid": RSA.kid})) is not None


def public_forms(by: Issuer) -> list[bytes]:
    """The public key as somebody may take it for a secret."""
    public = by.private.public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return [pem, pem.strip(), json.dumps(dict(by.jwk)).encode()]


@pytest.mark.parametrize("algorithm", ISSUERS)
def test_a_public_key_is_never_taken_for_a_secret(algorithm: str, taken: Tokens) -> None:
    by = ISSUERS[algorithm]
    payload = by.token().split(".")[1]

    for kid in ({"kid": by.kid}, {}):
        body = f"{part({'alg': 'HS256', 'typ': 'JWT', **kid})}.{payload}"
        for secret in public_forms(by):
            signature = hmac.digest(secret, body.encode(), "sha256")
            assert taken.find(f"{body}.{part(signature)}") is None


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", "HS256", "RS512"])
def test_no_token_chooses_an_algorithm_of_its_own(name: str, taken: Tokens) -> None:
    header, payload, signature = RSA.token().split(".")
    said = part({"alg": name, "kid": RSA.kid})

    assert taken.find(f"{said}.{payload}.{signature}") is None
    assert taken.find(f"{said}.{payload}.") is None
    assert taken.find(f"{said}.{payload}") is None
    assert taken.find(forged(RSA, {"alg": name, "kid": RSA.kid})) is None
    assert taken.find(f"{header}.{payload}.") is None


def test_each_key_verifies_by_its_own_algorithm_alone(taken: Tokens) -> None:
    by_other = Issuer(RSA.kid, "PS256", RSA.private, RSA.jwk)

    assert taken.find(by_other.token()) is None


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "unknown"},
        {"kid": "../../etc/passwd"},
        {"kid": 5},
        {"kid": None},
        {"kid": ["rs256"]},
        {"kid": "ps256"},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"alg": None},
        {"alg": ["RS256"]},
        {"alg": {"a": 1}},
    ],
    ids=str,
)
def test_a_header_that_is_not_right_is_refused(header: dict[str, Any], taken: Tokens) -> None:
    assert taken.find(forged(RSA, {"alg": "RS256", "kid": RSA.kid} | header)) is None


def test_keys_that_a_token_brings_along_are_not_looked_at(taken: Tokens) -> None:
    stranger = issuer("rs256", "RS256")
    brought = {"jwk": dict(stranger.jwk), "jku": "http://evil.example/", "x5u": "file:///"}

    assert taken.find(forged(stranger, {"alg": "RS256", "kid": "rs256", **brought})) is None


MANGLED: dict[str, Callable[[str, str, str], str]] = {
    "empty": lambda *_: "",
    "one dot": lambda *_: ".",
    "two dots": lambda *_: "..",
    "dots": lambda *_: "." * 8000,
    "begun": lambda *_: "eyJ",
    "cut off": lambda *parts: ".".join(parts)[:-4],
    "longer": lambda *parts: ".".join(parts) + "a",
    "four parts": lambda *parts: ".".join([*parts, "a"]),
    "a dot before it": lambda *parts: "." + ".".join(parts),
    "a blank before it": lambda *parts: " " + ".".join(parts),
    "no payload": lambda header, _, signature: f"{header}..{signature}",
    "another payload": lambda header, _, signature: f"{header}.{part({'sub': 'root'})}.{signature}",
    "another header": lambda _, *rest: ".".join([part({"alg": "RS256"}), *rest]),
    "null for a header": lambda _, *rest: ".".join([part(b"null"), *rest]),
    "nested header": lambda _, *rest: ".".join([part(b"[" * 3000), *rest]),
    "header not JSON": lambda _, *rest: ".".join([part(b"x"), *rest]),
    "not ascii": lambda *parts: ".".join(parts)[:-1] + "\u00e9",
    "not ascii at all": lambda *_: "\u00e9" * 100,
    "huge payload": lambda header, _, signature: f"{header}.{'A' * 7000}.{signature}",
    "too long": lambda *_: "A" * 8001,
    "far too long": lambda *_: "A" * 10_000_000,
}


@pytest.mark.parametrize("how", MANGLED)
def test_what_is_no_token_is_refused(how: str, taken: Tokens) -> None:
    header, payload, signature = RSA.token().split(".")

    assert taken.find(MANGLED[how](header, payload, signature)) is None


def test_without_an_id_only_the_only_key_is_meant(path: Path) -> None:
    token = forged(RSA, {"alg": "RS256"})
    assert tokens(path).find(token) is None

    path.write_bytes(key_set(RSA))

    assert tokens(path).find(token) is not None
    assert tokens(path).find(forged(RSA, {"alg": "PS256"})) is None


def test_other_keys_are_taken_over_and_what_the_old_ones_verified_is_forgotten(
    path: Path, taken: Tokens
) -> None:
    new = issuer("new", "EdDSA")
    old_token, new_token = RSA.token(), new.token()
    assert [taken.find(old_token) is not None, taken.find(new_token)] == [True, None]

    path.write_bytes(key_set(new))

    assert [taken.find(old_token), taken.find(new_token) is not None] == [None, True]
    path.unlink()
    assert taken.find(new_token) is None


def test_a_token_that_is_remembered_ends_all_the_same(taken: Tokens) -> None:
    by = ISSUERS["EdDSA"]
    token = by.token(exp=In(1 - LEEWAY_SECONDS))
    assert taken.find(token) is not None

    until = time.monotonic() + 10
    while taken.find(token) is not None:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_no_more_than_so_many_are_remembered(taken: Tokens) -> None:
    by = ISSUERS["EdDSA"]
    several = [by.token(jti=str(number)) for number in range(20)]
    known = taken._known.found
    for number in range(MOST_KEPT):  # as if so many had been verified
        known[number.to_bytes(32, "big")] = None  # type: ignore[assignment]
    taken._known = taken._known._replace(keys=taken._keys.value())

    assert all(taken.find(each) for each in several)

    assert len(known) == MOST_KEPT


def changed(by: Issuer, **changes: Any) -> bytes:
    jwk = {name: value for name, value in (dict(by.jwk) | changes).items() if value is not None}
    return json.dumps({"keys": [jwk]}).encode()


ELLIPTIC = ISSUERS["ES256"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not a JWK set"),
        (b"[]", "not a JWK set"),
        (b'{"keys":{}}', "not a list"),
        (b'{"keys":[5]}', "not a list"),
        (b'{"keys":[]}', "no public key for any of RS256, PS256, ES256, EdDSA"),
        (b'{"keys":[{"kty":"oct","k":"AAAA"}]}', "secret or private"),
        (changed(RSA, d="AAAA"), "secret or private"),
        (changed(RSA, use="enc"), "no public key"),
        (changed(RSA, key_ops=["sign"]), "no public key"),
        (changed(RSA, key_ops="verify"), "no public key"),
        (changed(RSA, alg="HS256"), "no public key"),
        (changed(RSA, alg="none"), "no public key"),
        (changed(RSA, alg="RS512"), "no public key"),
        (changed(RSA, alg="ES256"), "no public key"),
        (changed(RSA, kty="EC"), "no public key"),
        (changed(RSA, kty=[]), "no public key"),
        (changed(RSA, kid=5), "key number 1 is not as it should be"),
        (changed(RSA, n="!"), "key number 1 is not as it should be"),
        (changed(RSA, n=None), "key number 1 is not as it should be"),
        (changed(ELLIPTIC, crv="P-384"), "no public key"),
        (changed(ELLIPTIC, crv=5), "no public key"),
        (changed(ELLIPTIC, x="AAAA"), "key number 1 is not as it should be"),
        (key_set(issuer("weak", "RS256", bits=1024)), "has 1024 bits, 2048 are needed"),
        (key_set(issuer("a", "ES384")), "no public key"),
        (key_set(RSA, RSA), "key number 2 has the id of another"),
        (key_set(*[RSA] * 101), "more than 100 keys"),
    ],
)
def test_a_set_that_cannot_be_used_says_why(content: bytes, problem: str) -> None:
    with pytest.raises(StoreError, match=problem):
        parse(content)


def test_a_key_that_does_not_say_its_algorithm_has_one_all_the_same(path: Path) -> None:
    path.write_bytes(changed(RSA, alg=None))
    by_other = Issuer(RSA.kid, "PS256", RSA.private, RSA.jwk)

    assert tokens(path).find(RSA.token()) is not None
    assert tokens(path).find(by_other.token()) is None


def test_a_damaged_set_leaves_the_last_good_one(path: Path) -> None:
    told = Told()
    taken, token = tokens(path, told), RSA.token()
    assert taken.find(token) is not None

    path.write_bytes(changed(RSA, d="AAAA"))

    assert taken.find(token) is not None
    assert [level for level, _ in told] == ["error"]


def test_keys_and_tokens_come_in_by_one_ring(taken: Tokens, tmp_path: Path) -> None:
    key = made(tmp_path / "keys.json")
    keys, token = ring(tmp_path / "keys.json", tokens=taken), RSA.token()

    assert name_of(keys, bearer(token)) == "jwt:alice"
    assert name_of(keys, bearer(key)) == "reader"
    assert name_of(keys, Shown(None, token)) is None
    assert keys.find(bearer(token[:-5]), LOCAL) is None
