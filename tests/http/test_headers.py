"""Headers with anything in them: no failure, and nothing of them in the answer but what is sane."""

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from app.telemetry import request_id
from tests.support.raw import Wire, headed, post
from tests.support.server import Server

GOOD = b'{"x":[1,2,0.5]}'
JSON = {"Content-Type": "application/json"}
SANE = re.compile(r"[A-Za-z0-9._-]{1,128}")

VALUES = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=40)
PARTS = st.sampled_from((
    "*/*", "application/json", "text/html", "application/*", "a/b", "", "*", "json", "/", ";;;",
    "application/json; charset=utf-8", "*/*;q=0", "application/json;q=0.5", "x/y;q=abc", "q=1",
    'application/json;a="b,c"', "text/*;q=1e9", "application/json;q=-1",
    "application/json; charset=",
    "gzip", "gzip;q=0", "identity", "APPLICATION/JSON", "application/json;charset=utf-16",
))  # fmt: skip
LISTS = st.lists(PARTS, max_size=4).map(", ".join)
NAMES = st.sampled_from(["Accept", "Content-Encoding", "Content-Type", "Accept-Encoding", "Origin"])

_clients: list[FlaskClient] = []


@pytest.fixture(scope="module", autouse=True)
def _kept(client: FlaskClient) -> Iterator[None]:
    """Hypothesis takes no fixture that lives longer than one example."""
    _clients.append(client)
    yield
    _clients.clear()


@given(NAMES, VALUES | LISTS)
def test_any_value_is_answered_without_a_failure(name: str, value: str) -> None:
    answer = _clients[0].post("/predict", data=GOOD, headers=JSON | {name: value})

    assert answer.status_code in {200, 400, 406, 415}
    assert set(answer.get_json()) in ({"y"}, {"error", "details"})


@given(VALUES)
def test_id_comes_back_if_it_is_sane_and_else_is_a_fresh_one(given_id: str) -> None:
    answer = _clients[0].post("/predict", data=GOOD, headers=JSON | {"X-Request-Id": given_id})

    found = answer.headers["X-Request-Id"]
    assert SANE.fullmatch(found)
    assert (found == given_id) == bool(SANE.fullmatch(given_id))


@given(st.text(max_size=200))
def test_id_is_never_made_of_anything_else(text: str) -> None:
    assert SANE.fullmatch(request_id(text))


@pytest.mark.parametrize("target", ["/", "/predict", "/models", "/healthz", "/openapi.json"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PUT"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost"])
def test_foreign_origin_gets_no_permission(
    method: str, target: str, origin: str, client: FlaskClient
) -> None:
    asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}

    answer = client.open(target, method=method, data=GOOD, headers=JSON | asks)

    assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]


def test_fast_path_gives_no_permission_either(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(post(GOOD, "Origin: https://evil.example"))
        answer = wire.answer()

    assert answer.status == 200
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("host", ["a';id;'b", "$(id)", 'a"b<script>', "a b", "x/../y", "a\xe9"])
def test_strange_host_is_not_put_into_the_line_to_paste(host: str, server: Server) -> None:
    with Wire(server) as wire:
        wire.send(headed("GET /models/tiny HTTP/1.1", f"Host: {host}"))
        answer = wire.answer()

    assert answer.status == 200
    assert host not in answer.json["example"]["curl"]
