"""No value of an input is ever logged, counted or kept in the clear, whatever becomes of it.

The same canary is sent in every position of requests of every kind, by every road there is.
"""

import gzip
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from tests.support.journal import Kept
from tests.support.models import MIXED, PLAIN, publish
from tests.support.raw import Answer, Wire, chunked, headed, post
from tests.support.server import Server

NUMBER = b"7341.558203917"
CANARY = re.compile(r"7341\.?558203917|zeisig", re.IGNORECASE)
JSON = "Content-Type: application/json"


@dataclass(frozen=True, slots=True)
class Sent:
    """What one client sends, canaries included.

    Attributes:
        name: of the case.
        status: of the last answer; None where any will do, or none.
        data: all that is sent.
        finish: whether the client then says that no more will come.
    """

    name: str
    status: int | None
    data: bytes = field(repr=False)
    finish: bool = True


def head(*lines: str, body: bytes = b"") -> bytes:
    return headed("POST /predict HTTP/1.1", "Host: localhost", *lines, body=body)


def odd(body: bytes) -> bytes:
    """The same by the long road: chunked bodies are none of the fast path's."""
    return head(JSON, "Transfer-Encoding: chunked", body=chunked(body))


GOOD = b'{"x":[1,2,%s]}' % NUMBER
BODIES = {
    "a value": (200, GOOD),
    "a batch": (200, b'{"x":[[1,2,%s],[%s,0,0]]}' % (NUMBER, NUMBER)),
    "by name": (200, b'{"x":{"width":%s,"height":2,"depth":0.5}}' % NUMBER),
    "text for a number": (400, b'{"x":[1,2,"zeisig"]}'),
    "number in quotes": (400, b'{"x":[1,"%s",0.5]}' % NUMBER),
    "a list for a number": (400, b'{"x":[1,[%s],0.5]}' % NUMBER),
    "too many values": (400, b'{"x":[1,2,0.5,%s]}' % NUMBER),
    "too large": (400, b'{"x":[1,2,%se99]}' % NUMBER),
    "no number": (400, b'{"x":[1,2,%s.1]}' % NUMBER),
    "unknown feature": (400, b'{"x":{"zeisig":1,"width":1,"height":2,"depth":0.5}}'),
    "unknown key": (400, b'{"x":[1,2,0.5],"zeisig":1}'),
    "key twice": (400, b'{"x":[1,2,0.5],"zeisig":1,"zeisig":2}'),
    "broken": (400, b'{"x":[1,2,%s' % NUMBER),
    "not JSON": (400, b"zeisig=" + NUMBER),
    "not UTF-8": (400, b'{"x":["zeisig\xff",2,0.5]}'),
    "too many rows": (413, b'{"x":[%s]}' % b",".join([b"[1,2,%s]" % NUMBER] * 1001)),
    "too many bytes": (413, b'{"x":[1,2,%s]}' % (NUMBER * 5000)),
}
BOTH_ROADS = [
    sent
    for name, (status, body) in BODIES.items()
    for sent in (
        Sent(name, status, post(body)),
        Sent(f"{name}, chunked", status, odd(body)),
    )
]
CATEGORY = b'{"x":{"age":%s,"housing":"zeisig","job":null,"member":true}}' % NUMBER
BEFORE = post(b'{"x":[1,2,%s]}' % NUMBER).replace(b"Content-Length: 26", b"Content-Length: 10")
OTHERS = [
    Sent("unknown category", 400, post(CATEGORY, target="/models/mixed/predict")),
    Sent("a model that takes no such value", 400, post(GOOD, target="/models/failing/predict")),
    Sent("a version that takes none", 400, post(GOOD, target="/models/failing/versions/1/predict")),
    Sent("longer than declared", None, BEFORE),
    Sent("shorter than declared", None, head(JSON, "Content-Length: 99", body=GOOD)),
    Sent("nothing but a body", None, GOOD + b"\r\n\r\n"),
    Sent("a bad chunk", None, head(JSON, "Transfer-Encoding: chunked", body=GOOD + b"\r\n")),
    Sent("bad gzip", 400, post(GOOD, "Content-Encoding: gzip")),
    Sent("cut gzip", 400, post(gzip.compress(GOOD * 20)[:-9], "Content-Encoding: gzip")),
    Sent("another type", 415, post(GOOD).replace(b"application/json", b"text/zeisig")),
    Sent("a bad header", None, head(JSON, "zeisig header", "Content-Length: 0")),
    Sent("a folded header", None, head(JSON, "X-A: 1", f" {NUMBER.decode()}")),
    Sent("headers", 200, post(b'{"x":[1,2,0.5]}', "Cookie: zeisig", "X-Request-Id: zeisig!")),
    Sent("a query", 200, post(b'{"x":[1,2,0.5]}', target="/predict?x=zeisig")),
    Sent("a bad query", None, post(GOOD, target="/predict?x=zeisig\x01")),
    Sent("a key", None, post(GOOD, "Authorization: Bearer zeisig", "X-API-Key: zeisig")),
    Sent("by GET", 405, headed("GET /predict?x=zeisig HTTP/1.1", "Host: localhost")),
    Sent("too late", None, head(JSON, "Content-Length: 99", body=GOOD), finish=False),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tiny` by plain numbers, `mixed`, and `failing`, which refuses it by name."""
    root = tmp_path_factory.mktemp("store") / "models"
    publish(root, "tiny", PLAIN, linear=True)
    publish(root, "mixed", MIXED, linear=True)
    rows = [[1.0, 2.0, 0.5], [10.0, -5.0, 0.0], [0.25, 0.0, 1.0]]
    failing = make_pipeline(OrdinalEncoder(), LinearRegression()).fit(rows, [1.0, 2.0, 3.0])
    publish(root, "failing", estimator=failing)
    return root


@pytest.fixture(scope="module", params=["ordinate", "gthread"])
def served(
    request: pytest.FixtureRequest, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Kept]]:
    """A service that tells all it can, by our worker and by gunicorn's; with a prediction log."""
    kept = Kept.below(tmp_path_factory.mktemp("log"))
    arguments = [] if request.param == "ordinate" else ["--worker-class", "gthread"]
    settings = {
        "ORDINATE_LOG_LEVEL": "debug",
        "ORDINATE_MODEL": "tiny",
        "ORDINATE_WORKERS": "1",
        "ORDINATE_REQUEST_TIMEOUT": "1",
        "ORDINATE_MAX_BODY_BYTES": str(1 << 16),
        "ORDINATE_MAX_ROWS": "1000",
    }
    with Server(root, arguments, **settings, **kept.settings) as server:
        yield server, kept


def send(server: Server, sent: Sent) -> list[Answer]:
    with Wire(server) as wire:
        wire.send(sent.data)
        if sent.finish:
            with suppress(OSError):  # it was closed by the other side already
                wire.finish()
        elif "gthread" in " ".join(map(str, server.process.args)):  # type: ignore[arg-type]
            return []  # which has no deadline
        return wire.answers()


def test_a_crash_leaves_no_memory_on_the_disk(served: tuple[Server, Kept]) -> None:
    server, _ = served
    limits = Path(f"/proc/{server.process.pid}/limits")
    if not limits.exists():
        pytest.skip("no /proc to read the limits of a process from")

    (core,) = [line for line in limits.read_text().splitlines() if line.startswith("Max core")]
    assert core.split()[4] == "0"


def test_no_value_of_any_request_is_in_a_log_a_metric_or_a_file(
    served: tuple[Server, Kept], root: Path
) -> None:
    server, kept = served
    wrong = []
    for sent in [*BOTH_ROADS, *OTHERS]:
        answers = send(server, sent)
        statuses = [answer.status for answer in answers]
        if sent.status is not None and statuses[-1:] != [sent.status]:
            wrong.append((sent.name, sent.status, statuses))
    metrics = server.get("/metrics")
    server.wait_for(lambda: len(kept.records()) >= 8)
    server.stop()

    assert wrong == []
    assert CANARY.findall(server.log) == []
    assert CANARY.findall(metrics) == []
    for path in (each for place in (root, kept.folder) for each in place.rglob("*")):
        if path.is_file():
            assert CANARY.findall(path.read_bytes().decode("latin-1")) == [], path
    assert any(NUMBER in record.body for record in kept.records())
    assert all(json.loads(line) for line in server.out)
