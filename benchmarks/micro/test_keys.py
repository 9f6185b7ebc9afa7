"""What it costs to know a caller: by an API key that is right, wrong or none, and by a token."""

import json
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from app.config import Config
from app.security import LOCAL, NOTHING, Caller, KeyFile, KeyRing, Scope, Shown
from app.security.api_keys import new_key
from app.security.tokens import MOST_KEPT

Benchmark = Callable[..., Any]

KEYS = 1_000
ISSUER, AUDIENCE = "https://id.example", "ordinate"

pytestmark = pytest.mark.benchmark(group="keys")


@pytest.fixture(scope="module")
def private() -> dict[str, Any]:
    """The keys of who signs tokens."""
    return {
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        "RS256": rsa.generate_private_key(65537, 2048),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, private: dict[str, Any]) -> Path:
    """Files of a service with many keys."""
    found = tmp_path_factory.mktemp("keys")
    public: dict[str, Callable[[Any], Any]] = {
        "EdDSA": OKPAlgorithm.to_jwk,
        "RS256": RSAAlgorithm.to_jwk,
    }
    keys = [
        json.loads(public[name](key.public_key())) | {"kid": name} for name, key in private.items()
    ]
    (found / "jwks.json").write_text(json.dumps({"keys": keys}))
    file = KeyFile(found / "keys.json")
    for number in range(KEYS - 1):
        file.add(Caller(f"key {number}", frozenset({Scope.PREDICT})))
    return found


@pytest.fixture(scope="module")
def right(folder: Path) -> str:
    """One key more, which is known."""
    return KeyFile(folder / "keys.json").add(Caller("right", frozenset({Scope.PREDICT}))).text


def ring(folder: Path) -> KeyRing:
    """What a worker has of these files."""
    config = Config.from_env(
        {
            "ORDINATE_AUTH": "on",
            "ORDINATE_KEYS": str(folder / "keys.json"),
            "ORDINATE_JWKS": str(folder / "jwks.json"),
            "ORDINATE_JWT_ISSUER": ISSUER,
            "ORDINATE_JWT_AUDIENCE": AUDIENCE,
        }
    )
    found = KeyRing.of(config, lambda *_: None)
    assert found is not None
    return found


def test_a_right_key(benchmark: Benchmark, folder: Path, right: str) -> None:
    """As the Authorization header shows it."""
    assert benchmark(ring(folder).find, Shown(f"Bearer {right}", None), LOCAL) is not None


def test_a_wrong_key(benchmark: Benchmark, folder: Path) -> None:
    """Of the right form, with its checksum."""
    assert benchmark(ring(folder).find, Shown(f"Bearer {new_key().text}", None), LOCAL) is None


def test_a_mistyped_key(benchmark: Benchmark, folder: Path, right: str) -> None:
    """Whose checksum is wrong."""
    assert benchmark(ring(folder).find, Shown(f"Bearer {right[:-1]}-", None), LOCAL) is None


def test_no_key(benchmark: Benchmark, folder: Path) -> None:
    """No header at all."""
    assert benchmark(ring(folder).find, NOTHING, LOCAL) is None


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256"])
@pytest.mark.parametrize("known", [True, False], ids=["remembered", "new"])
def test_a_token(
    benchmark: Benchmark, folder: Path, private: dict[str, Any], algorithm: str, known: bool
) -> None:
    """Verified before, or now: of more than are remembered, each is forgotten until its turn."""
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "me", "exp": int(time.time()) + 3600}
    shown = cycle(
        Shown(f"Bearer {token}", None)
        for token in (
            jwt.encode(
                claims | {"jti": str(number)},
                private[algorithm],
                algorithm,
                headers={"kid": algorithm},
            )
            for number in range(1 if known else MOST_KEPT + 1)
        )
    )
    keys = ring(folder)

    assert benchmark(lambda: keys.find(next(shown), LOCAL)) is not None


@pytest.mark.usefixtures("right")
def test_a_changed_file(benchmark: Benchmark, folder: Path) -> None:
    """A thousand keys, read again."""
    benchmark(lambda: ring(folder).look())
