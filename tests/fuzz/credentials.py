"""Headers that show an API key: who holds one comes in by it, and nobody else."""

import re
from collections.abc import Iterator
from functools import cache

from app.config import Config
from app.errors import Forbidden, OrdinateError, TooManyRequests, Unauthorized
from app.masking import MASK, holds_secret, mask, mask_bytes
from app.quotas import Quotas
from app.security import Caller, Guard, Scope, Sender, Shown, doors
from app.security.api_keys import DIGITS, digest_of, id_of, with_checksum
from app.security.records import Record, to_bytes
from app.telemetry import Log, Metrics
from tests.fuzz.places import place
from tests.support.api_keys import ring

PEER = Sender("198.51.100.7")
ROUTES = ("/predict", "/models/tiny", "/metrics", "/admin/keys", "/healthz")
NEVER, LONG_AGO = None, 1_000_000_000
READER, RULER, FORMER = (
    with_checksum(f"ordk_{letter * 8}{'0123456789abcdefABCDEF0123456789'}") for letter in "abc"
)
RIGHTS = {
    READER: Caller("reader", frozenset({Scope.PREDICT}), frozenset({"tiny"})),
    RULER: Caller("ruler", frozenset({Scope.ADMIN})),
}
_BASE64 = DIGITS + "_-."
SECRETS = {
    **dict.fromkeys(("ordk_", "ordk%5f", "ordk%5F"), DIGITS),
    **dict.fromkeys(("eyJ", "eyAi"), _BASE64),
}
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +(.*?) *", re.DOTALL)


def seeds() -> Iterator[bytes]:
    """Authorization, a line end, and X-API-Key, each of which may be absent."""
    wrong = READER[:-1] + ("0" if READER[-1] != "0" else "1")
    other = with_checksum(READER[:13] + "x" * 32)
    for key in (READER, RULER, FORMER, wrong, other, READER[:-1], READER + "0", "ordk_", "", "x"):
        for form in ("Bearer {}", "bearer   {}  ", "Bearer{}", "Basic {}", "\tBearer {}", "{}"):
            yield form.format(key).encode()
            yield f"{form.format(key)}\n{READER}".encode()
        yield f"\n{key}".encode()
        yield f"\n {key}".encode()
        yield f"Bearer {READER}\n{key}".encode()
        yield f"\n{key}".encode("utf-16-le")
    yield b"Bearer " + "ordk_\u0661".encode() * 20
    yield b"Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."
    yield b"ordk%5fabc ordk%5Fabc eyAiYWxnIjoibm9uZSJ9. ordordk_k_"


def check(data: bytes) -> None:
    """Knock at each door with these headers, and look for keys in them."""
    authorization, line_end, api_key = data.decode("latin-1").partition("\n")
    shown = Shown(authorization or None, api_key if line_end else None)
    key = known(shown)
    open_guard, counting = _guards()
    for route in ROUTES:
        for model in ("tiny", "other"):
            assert _admitted(open_guard, shown, route, model) == expected(key, route, model)
            assert _looked(open_guard, shown, route, (route, model)) == expected(key, route, model)
            for found in (
                _admitted(counting, shown, route, model),
                _looked(counting, shown, route, (route, model)),
            ):
                assert found in (429, expected(key, route, model))
        needs = route != "/healthz"
        assert _looked(open_guard, shown, route) == (401 if needs and key is None else 200)
        assert _looked(counting, shown, route) in (200, 401, 429)
    for text in (authorization, api_key, data.decode("latin-1")):
        _read(text)
    _mask(data)


def known(shown: Shown) -> str | None:
    """The key that lets this in, by the rules alone: all that is shown is one key that is good."""
    found = shown.api_key
    if shown.authorization is not None:
        bearer = _BEARER.fullmatch(shown.authorization)
        if bearer is None or found not in (None, bearer[1]):
            return None
        found = bearer[1]
    return found if found in RIGHTS else None


def expected(key: str | None, route: str, model: str) -> int:
    """What a knock with this key is answered with."""
    if route == "/healthz":
        return 200
    if key is None:
        return 401
    if key == RULER:
        return 200
    return 200 if route in ("/predict", "/models/tiny") and model == "tiny" else 403


def _admitted(guard: Guard, shown: Shown, route: str, model: str) -> int:
    try:
        ticket = guard.admit(shown, PEER, route, model)
        ticket.charge(2)
    except (Unauthorized, Forbidden, TooManyRequests) as error:
        return _status(error)
    assert all(f"{name}: {value}".isprintable() for name, value in ticket.headers)
    assert route == "/healthz" or ticket.caller in RIGHTS.values()
    return 200


def _status(error: OrdinateError) -> int:
    assert not holds_secret(error.message)
    return error.status


def _looked(guard: Guard, shown: Shown, path: str, asked: tuple[str, str] | None = None) -> int:
    try:
        guard.look(shown, PEER, path, asked and (lambda: asked))
    except (Unauthorized, Forbidden, TooManyRequests) as error:
        return _status(error)
    return 200


def _read(text: str) -> None:
    """A key has the form and the checksum that one would work out by hand, or it is none."""
    found = id_of(text)
    body, digits = text[:-6], text[-6:]
    right = len(text) == 51 and text.startswith("ordk_") and set(text[5:]) <= set(DIGITS)
    assert (found is not None) == (right and with_checksum(body) == text)
    if found is not None:
        assert (found, len(digest_of(text)), len(digits)) == (text[5:13], 32, 6)


def _mask(data: bytes) -> None:
    """Nothing that looks like a key is left, whether in text or in bytes."""
    text = data.decode("latin-1")
    masked = mask(text)
    assert masked == "".join(_pieces(text))
    assert mask_bytes(data) == masked.encode("latin-1")
    assert not holds_secret(masked)
    assert holds_secret(text) == (masked != text)
    assert not any(key in masked for key in (READER, RULER, FORMER))


def _pieces(text: str) -> Iterator[str]:
    """The text, letter by letter, with one mask for each stretch that begins as a secret does."""
    while text:
        end = _secret_end(text)
        yield MASK if end else text[0]
        text = text[end or 1 :]


def _secret_end(text: str) -> int:
    """How long what begins here goes on, if it begins as a key or a token does; else 0."""
    for beginning, letters in SECRETS.items():
        end = len(beginning)
        if text.startswith(beginning):
            while end < len(text) and text[end] in letters:
                end += 1
            head = text[len(beginning) : end].partition(".")[0]
            if beginning.startswith("ordk") or len(head) >= 13:
                return end
    return 0


@cache
def _guards() -> tuple[Guard, Guard]:
    """One that counts nothing, and one with quotas that are soon used up."""
    path = place("credentials.json")
    callers = [*RIGHTS.items(), (FORMER, Caller("former", frozenset(Scope)))]
    path.write_bytes(
        to_bytes(
            Record(key[5:13], digest_of(key), caller, 0, LONG_AGO if key == FORMER else NEVER)
            for key, caller in callers
        )
    )
    settings = {
        "ORDINATE_AUTH": "on",
        "ORDINATE_METRICS": "admin",
        "ORDINATE_KEYS": str(path),
        "ORDINATE_LIMIT_KEY_REQUESTS": "50/second",
        "ORDINATE_LIMIT_KEY_ROWS": "99/second",
    }
    config, metrics, log = Config.from_env(settings), Metrics(), Log("error")
    quotas = Quotas.of(config, metrics, log, keys=True)
    return Guard(ring(path), scopes=doors(config)), Guard(ring(path), quotas, doors(config))
