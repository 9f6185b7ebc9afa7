"""Real JSON web tokens, signed by real keys."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER, AUDIENCE = "https://id.example", "ordinate"


class In(int):
    """A time, as seconds from when the token is made."""


@dataclass(frozen=True)
class Issuer:
    """Who signs tokens by one key.

    Attributes:
        kid: of the key.
        algorithm: that it is for.
        private: the key.
        jwk: its public half.
    """

    kid: str
    algorithm: str
    private: Any
    jwk: Mapping[str, Any]

    def token(self, headers: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """A token that is right but for these claims; one that is None is left out."""
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "alice",
            "exp": In(300),
            "scope": "openid ordinate:predict",
        } | changes
        now = int(time.time())
        kept = {
            name: now + value if isinstance(value, In) else value
            for name, value in claims.items()
            if value is not None
        }
        named = {"kid": self.kid} | dict(headers or {})
        return jwt.encode(kept, self.private, self.algorithm, headers=named)


def issuer(kid: str, algorithm: str, bits: int = 2048) -> Issuer:
    """A fresh key for one of the algorithms."""
    if algorithm in ("RS256", "PS256", "RS512"):
        private: Any = rsa.generate_private_key(65537, bits)
        public = RSAAlgorithm.to_jwk(private.public_key())
    elif algorithm in ("ES256", "ES384"):
        private = ec.generate_private_key(
            ec.SECP256R1() if algorithm == "ES256" else ec.SECP384R1()
        )
        public = ECAlgorithm.to_jwk(private.public_key())
    else:
        private = ed25519.Ed25519PrivateKey.generate()
        public = OKPAlgorithm.to_jwk(private.public_key())
    named = {"kid": kid, "alg": algorithm, "use": "sig"}
    return Issuer(kid, algorithm, private, json.loads(public) | named)


def key_set(*issuers: Issuer) -> bytes:
    """The JWK set of these."""
    return json.dumps({"keys": [dict(each.jwk) for each in issuers]}).encode()
