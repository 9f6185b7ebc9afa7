"""Quotas behind every door: fast path and Flask; our worker, gunicorn's threads and waitress."""

import gzip
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from waitress.server import create_server

from app import create_app
from app.config import Config
from tests.support.raw import Answer, Wire, ask, chunked, headed, post
from tests.support.server import Server

ROW = b'{"x":[1,2,0.5]}'
SETTINGS = {
    "ORDINATE_LIMIT_ADDRESS_REQUESTS": "1/hour:3",
    "ORDINATE_LIMIT_ADDRESS_ROWS": "60/hour:10",
    "ORDINATE_TRUSTED_PROXIES": "127.0.0.1",
}
_numbers = count(1)

Ask = Callable[..., Answer]


@dataclass(frozen=True)
class Port:
    """What `Wire` needs to know of a server."""

    port: int
    tls: None = None


@pytest.fixture(scope="module")
def worker(linear_models: Path) -> Iterator[Server]:
    with Server(linear_models, **SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def gthread(linear_models: Path) -> Iterator[Server]:
    with Server(linear_models, ("--worker-class", "gthread"), **SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def waitress(linear_models: Path) -> Iterator[Port]:
    own = {
        "ORDINATE_MODELS": str(linear_models),
        "ORDINATE_REFRESH": "0",
        "ORDINATE_ALLOW_OPEN": "on",
    }
    config = Config.from_env(own | SETTINGS)
    keeping = {"clear_untrusted_proxy_headers": False}  # it would take X-Forwarded-For away
    server = create_server(create_app(config), host="127.0.0.1", port=0, threads=1, **keeping)

    def run() -> None:
        with suppress(OSError):  # closing it takes the descriptors from under its select
            server.run()

    thread = threading.Thread(target=run)
    thread.start()
    yield Port(server.effective_port)
    server.close()
    thread.join(timeout=20)


@pytest.fixture
def address() -> str:
    """Somebody who has not asked yet."""
    number = next(_numbers)
    return f"198.51.{number // 256}.{number % 256}"


def field(answer: Answer, name: str) -> str:
    """A header; waitress has its own ideas of capital letters."""
    return {each.lower(): value for each, value in answer.headers.items()}[name.lower()]


def plain(address: str, body: bytes = ROW) -> bytes:
    return post(body, f"X-Forwarded-For: {address}")


def packed(address: str, body: bytes = ROW) -> bytes:
    """The same for Flask, which reads compressed bodies."""
    return post(gzip.compress(body), f"X-Forwarded-For: {address}", "Content-Encoding: gzip")


DOORS = [
    pytest.param(name, way, id=f"{name}, {way.__name__}")
    for name in ("worker", "gthread", "waitress")
    for way in (plain, packed)
]


def rows(number: int) -> bytes:
    return b'{"x":[' + b",".join([b"[1,2,0.5]"] * number) + b"]}"


@pytest.mark.parametrize(("name", "way"), DOORS)
def test_a_burst_is_answered_and_then_refused_alike_behind_every_door(
    name: str, way: Callable[..., bytes], address: str, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue(name)

    answers = [ask(server, way(address)) for _ in range(4)]

    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    policy = '"rows-per-address";q=10;w=600, "requests-per-address";q=3;w=10800'
    assert {field(answer, "RateLimit-Policy") for answer in answers} == {policy}
    told = [field(answer, "RateLimit").split(", ") for answer in answers]
    assert [each[0].partition(";t=")[0] for each in told] == [
        *(f'"rows-per-address";r={left}' for left in (9, 8, 7)),
        '"requests-per-address";r=0',
    ]
    assert [each[1].partition(";t=")[0] for each in told[:3]] == [
        f'"requests-per-address";r={left}' for left in (2, 1, 0)
    ]
    wait = field(answers[3], "Retry-After")
    assert 3500 < int(wait) <= 3600
    assert told[3] == [f'"requests-per-address";r=0;t={wait}']
    assert answers[3].json["error"] == (
        "the quota of requests of this address is used up, which is 1 an hour, 3 at once: "
        f"try again in {wait} s"
    )


@pytest.mark.parametrize(("name", "way"), DOORS)
def test_rows_beyond_the_quota_are_not_answered(
    name: str, way: Callable[..., bytes], address: str, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue(name)

    answers = [ask(server, way(address, rows(number))) for number in (6, 5, 4)]

    assert [answer.status for answer in answers] == [200, 429, 200]
    assert '"rows-per-address";r=4;' in field(answers[0], "RateLimit")
    assert 0 < int(field(answers[1], "Retry-After")) <= 60
    assert '"rows-per-address";r=4;' in field(answers[1], "RateLimit")
    assert "has 4 left, and 5 were asked for" in answers[1].json["error"]
    assert "y" not in answers[1].json
    assert len(answers[2].json["y"]) == 4


@pytest.mark.parametrize(("name", "way"), DOORS)
def test_more_rows_than_are_ever_allowed_are_too_many(
    name: str, way: Callable[..., bytes], address: str, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue(name)

    answer = ask(server, way(address, rows(11)))

    assert answer.status == 413
    assert "11 rows" in answer.json["error"]
    assert '"rows-per-address";r=10;' in field(answer, "RateLimit")


def test_who_has_no_row_left_is_refused_before_the_body_is_read(
    worker: Server, address: str
) -> None:
    assert ask(worker, plain(address, rows(10))).status == 200

    answer = ask(worker, plain(address, b"neither JSON nor rows"))

    assert answer.status == 429
    assert "quota of rows" in answer.json["error"]


def test_a_chunked_request_is_counted_as_well(worker: Server, address: str) -> None:
    lines = ["POST /predict HTTP/1.1", "Host: x", "Content-Type: application/json"]
    lines += ["Transfer-Encoding: chunked", f"X-Forwarded-For: {address}"]

    statuses = [ask(worker, headed(*lines, body=chunked(ROW))).status for _ in range(4)]

    assert statuses == [200, 200, 200, 429]


def test_other_routes_count_and_open_ones_do_not(worker: Server, address: str) -> None:
    def get(target: str) -> int:
        lines = [f"GET {target} HTTP/1.1", "Host: x", f"X-Forwarded-For: {address}"]
        return ask(worker, headed(*lines)).status

    assert [get("/healthz") for _ in range(5)] == [200] * 5
    assert [get("/models"), get("/nowhere"), get("/version"), get("/models")] == [
        *(200, 404, 200, 429)
    ]
    assert get("/readyz") == 200


@pytest.mark.skipif(sys.platform != "linux", reason="needs a second address of this machine")
@pytest.mark.parametrize("way", [plain, packed])
def test_a_claimed_address_counts_only_if_a_trusted_proxy_claims_it(
    way: Callable[..., bytes], worker: Server
) -> None:
    stranger = ("127.0.0.2" if way is plain else "127.0.0.3", 0)
    statuses = []
    for number in range(4):
        with Wire(worker, stranger) as wire:
            wire.send(way(f"203.0.113.{number}"))
            statuses.append(wire.answer().status)

    assert statuses == [200, 200, 200, 429]


def test_both_workers_draw_from_one_bucket_and_what_they_refuse_is_counted(
    worker: Server, address: str
) -> None:
    """On many connections at once, so that each worker has some of them."""
    with ExitStackOfWires(worker, 20) as wires:
        for wire in wires:
            wire.send(plain(address))
        statuses = sorted(wire.answer().status for wire in wires)

    assert statuses == [200] * 3 + [429] * 17
    text = worker.get("/metrics")
    assert 'ordinate_quota_refusals_total{quota="requests-per-address"}' in text
    assert 'ordinate_rejected_total{reason="quota"}' in text
    worker.wait_for(lambda: any('"status":429' in line for line in worker.out))


class ExitStackOfWires:
    """Several connections, closed together."""

    def __init__(self, server: Server, number: int) -> None:
        self._wires = [Wire(server) for _ in range(number)]

    def __enter__(self) -> list[Wire]:
        return self._wires

    def __exit__(self, *_: object) -> None:
        for wire in self._wires:
            wire.__exit__()
