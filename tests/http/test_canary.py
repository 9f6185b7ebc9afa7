"""A key and a token are put wherever somebody may put one, and found nowhere again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api_keys import RULES, made
from tests.support.raw import Wire, chunked, headed, post
from tests.support.server import Server
from tests.support.tokens import AUDIENCE, ISSUER, issuer, key_set

GOOD = b'{"x":[1,2,0.5]}'
HOST = "Host: localhost"
BY_FLASK = "Accept: application/json;q=0.9"
"""Has a request leave the fast path."""


def headers(secret: str) -> Iterator[str]:
    """Header lines that hold it."""
    for name in (
        *("X-Request-Id", "Authorization", "Cookie", "User-Agent", "Referer", "X-Forwarded-For"),
        *("Content-Type", "Content-Encoding", "Accept", "Accept-Encoding", "Expect", "Host"),
        *("Transfer-Encoding", "Content-Length", "X-Api-Keys", "X_API_Key", "Forwarded", "Origin"),
    ):
        yield f"{name}: {secret}"
    yield f"X-Request-Id: a.{secret}"
    yield f"Content-Type: application/json; charset={secret}"
    yield f"Authorization: Basic {secret}"
    yield f"Authorization: Bearer {secret} {secret}"
    yield f"{secret}: 1"
    yield secret


def targets(secret: str) -> Iterator[str]:
    """Addresses that hold it."""
    yield f"/{secret}"
    yield f"/{secret}?key={secret}#{secret}"
    yield f"/a{secret}b/%20{secret}"
    yield f"/{secret[:4]}%5F{secret[5:]}" if secret.startswith("ordk_") else f"/%65{secret[1:]}"
    yield f"/models/{secret}"
    yield f"/models/{secret}/predict"
    yield f"/models/tiny/versions/{secret}/predict"
    yield f"/models/tiny/labels/{secret}/predict"
    yield f"/models?api_key={secret}"
    yield f"/predict?access_token={secret}"
    yield f"/models%2f{secret}"
    yield f"http://{secret}/predict"
    yield f"/healthz/{secret}"
    yield f"/{'x' * 460}/{secret}"


def bodies(secret: str) -> Iterator[tuple[str, bytes]]:
    """Bodies that hold it, and where they go."""
    for x in (
        *(secret, [secret, 2, 0.5], [[1, 2, secret]], {secret: 1}, {"width": secret}),
        *([f"{'x' * 60}{secret}", 2, 0.5], [[secret]], {secret: {secret: secret}}),
    ):
        yield "/predict", json.dumps({"x": x}).encode()
    yield "/predict", json.dumps({secret: secret, "x": [1, 2, 0.5]}).encode()
    yield "/predict", json.dumps({f"{'x' * 60}{secret}": secret}).encode()
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in secret)
    yield "/predict", f'{{"x":["{escaped}",2,0.5]}}'.encode()
    yield "/predict", f'{{"{escaped}":1}}'.encode()
    yield "/predict", secret.encode()
    yield "/predict", f'{{"x":["{secret}'.encode()
    yield "/predict", f'{{"{secret}":1,"{secret}":2}}'.encode()
    yield "/models/mixed/predict", json.dumps({"x": [30, secret, secret, True]}).encode()
    yield "/models/mixed/predict", json.dumps({"x": {"housing": secret, "jobs": secret}}).encode()
    yield "/models/hostile/predict", json.dumps({"x": [1, 2, secret]}).encode()


def requests(secret: str, own: str) -> Iterator[bytes]:
    """All of it, by somebody who also shows a key as they should, and by somebody who does not."""
    for known in (own, "X-A: 1"):
        for line in headers(secret):
            yield headed("GET /models/tiny HTTP/1.1", HOST, known, line)
            yield headed("GET / HTTP/1.1", HOST.replace("localhost", secret), known, line)
            yield post(GOOD, known, line)
            yield post(GOOD, known, line, BY_FLASK)
        for target in targets(secret):
            yield headed(f"GET {target} HTTP/1.1", HOST, known)
            yield post(GOOD, known, target=target)
        for target, body in bodies(secret):
            yield post(body, known, target=target)
            yield post(body, known, BY_FLASK, target=target)
    yield headed(f"{secret} /predict HTTP/1.1", HOST, own)
    yield headed(f"GET /predict {secret}", HOST, own)
    yield headed(f"GET {secret} HTTP/1.1", HOST, own)
    yield headed("GET /models/tiny HTTP/1.1", f"Host: {secret}", own)
    yield headed(
        *("POST /predict HTTP/1.1", HOST, own, "Transfer-Encoding: chunked"),
        body=f"f;{secret}\r\n".encode() + chunked(GOOD),
    )
    yield f"{secret}\r\n\r\n".encode()


@pytest.mark.parametrize("kind", [(), ("-k", "gthread")], ids=["own worker", "gthread"])
def test_a_canary_is_found_nowhere(kind: tuple[str, ...], models: Path, tmp_path: Path) -> None:
    key, by = made(tmp_path / "keys.json", "ops", RULES), issuer("one", "EdDSA")
    token = by.token(scope="ordinate:admin")
    (tmp_path / "jwks.json").write_bytes(key_set(by))
    settings = {
        "ORDINATE_AUTH": "on",
        "ORDINATE_KEYS": str(tmp_path / "keys.json"),
        "ORDINATE_JWKS": str(tmp_path / "jwks.json"),
        "ORDINATE_JWT_ISSUER": ISSUER,
        "ORDINATE_JWT_AUDIENCE": AUDIENCE,
        "ORDINATE_LOG_LEVEL": "debug",
        "ORDINATE_WORKERS": "1",
    }
    own = f"X-API-Key: {key}"
    sent = [each for secret in (key, token) for each in requests(secret, own)]
    sent += [
        headed(f"GET {target} HTTP/1.1", HOST, shown)
        for shown in (f"Authorization: Bearer {token}", own)
        for target in ("/metrics", "/admin/keys", "/admin/settings", "/openapi.json")
    ]

    with Server(models, kind, **settings) as server:
        answers = [whole_answer(server, request) for request in sent]
        assert server.stop() == 0

    assert {"200", "400", "401", "404", "415"} <= {answer[:3] for answer in answers}
    files = [file for folder in (tmp_path, models) for file in folder.rglob("*") if file.is_file()]
    places = dict(zip(map(repr, sent), answers, strict=True)) | {"the log": server.log}
    places |= {str(file): file.read_bytes().decode("latin-1") for file in files}
    _, claims, signature = token.split(".")
    pieces = [key[13:45], key[-20:], claims[-20:], signature[:20], signature[-20:]]
    assert [where for where, text in places.items() if any(p in text for p in pieces)] == []


def whole_answer(server: Server, request: bytes) -> str:
    """All that comes back, beginning with the first status.

    Pages of gunicorn's own, by which its other workers answer what is no HTTP, show to its sender
    alone what was sent; they are not ours, and our worker sends none.
    """
    with Wire(server) as wire:
        wire.send(request)
        wire.finish()
        found = wire.answers()
    ours = [each for each in found if not each.body.startswith(b"<html>\n  <head>")]
    shown = (f"{each.status} {each.headers} {each.body.decode('latin-1')}" for each in ours)
    return " ".join(shown)
