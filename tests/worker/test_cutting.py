"""Bytes become requests in turns that are short whatever is sent."""

import pytest

from app.worker.cutting import PIECE, Cutter, Request
from tests.fuzz.serving import ask
from tests.support.raw import Wire, chunked, headed, post
from tests.support.server import Server

LIMITS = {
    "limit_request_line": 4094,
    "limit_request_fields": 100,
    "limit_request_field_size": 8190,
}
BODY = b'{"x":[1,2,0.5]}'.ljust(20_000)
IN_CHUNKS = headed(
    "POST /predict HTTP/1.1",
    "Host: x",
    "Content-Type: application/json",
    "Transfer-Encoding: chunked",
    body=chunked(BODY, 1),
)


def taken(cutter: Cutter) -> tuple[Request, int]:
    """The next request, and in how many turns it was cut."""
    for turn in range(1, 1000):
        request = cutter.next()
        if request is not None:
            return request, turn
        assert cutter.waiting, "it waits for more"
    raise AssertionError("it is never done")


def test_many_small_chunks_are_looked_at_piece_by_piece() -> None:
    cutter = Cutter(len(BODY), LIMITS)
    cutter.add(IN_CHUNKS)

    request, turns = taken(cutter)

    assert request.body == BODY
    assert turns == 1 + (len(IN_CHUNKS) - 1) // PIECE


def test_what_is_behind_a_piece_by_piece_request_is_the_next_one() -> None:
    cutter = Cutter(len(BODY), LIMITS)
    cutter.add(IN_CHUNKS + IN_CHUNKS + post())

    bodies = [taken(cutter)[0].body for _ in range(3)]

    assert bodies == [BODY, BODY, b'{"x":[1,2,0.5]}']
    assert not cutter.begun


def test_a_request_that_arrives_alone_and_whole_need_not_be_stored() -> None:
    cutter = Cutter(len(BODY), LIMITS)

    request = cutter.whole(post(BODY))

    assert request is not None
    assert request.body == BODY
    assert request.head.plain is not None
    assert not cutter.begun


@pytest.mark.parametrize(
    "arrived",
    [
        pytest.param(post()[:-1], id="a part"),
        pytest.param(post() + b"P", id="more than one"),
        pytest.param(post(BODY + b" "), id="more than is kept"),
        pytest.param(IN_CHUNKS, id="in chunks"),
        pytest.param(b"\r\n" + post(), id="an empty line before it"),
    ],
)
def test_what_is_anything_else_has_to_be(arrived: bytes) -> None:
    cutter = Cutter(len(BODY), LIMITS)

    assert cutter.whole(arrived) is None
    assert not cutter.begun


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(post()[:10], id="in its head"),
        pytest.param(post()[:-5], id="in its body"),
        pytest.param(IN_CHUNKS[:-10], id="in its chunks"),
    ],
)
def test_what_belongs_to_another_request_is_none_by_itself(begun: bytes) -> None:
    cutter = Cutter(len(BODY), LIMITS)
    cutter.add(begun)
    while cutter.next() is None and cutter.waiting:
        pass

    assert cutter.begun
    assert cutter.whole(post()) is None


@pytest.mark.parametrize("count", [1, 3])
def test_client_that_sends_one_byte_a_chunk_is_answered(count: int, server: Server) -> None:
    with Wire(server) as wire:
        wire.send(IN_CHUNKS * count + post())

        assert [wire.answer().status for _ in range(count + 1)] == [200] * (count + 1)


def test_a_body_that_is_whole_is_held_until_it_is_asked_for() -> None:
    cutter = Cutter(len(BODY), LIMITS)
    cutter.add(post(BODY)[:-5])
    assert cutter.next() is None

    cutter.add(post(BODY)[-5:])

    assert cutter.begun
    assert cutter.held == len(BODY)
    assert taken(cutter)[0].body == BODY
    assert (cutter.begun, cutter.held) == (False, 0)


def test_a_body_that_is_whole_is_forgotten_with_all_else() -> None:
    cutter = Cutter(len(BODY), LIMITS)
    cutter.add(post(BODY)[:-5])
    assert cutter.next() is None
    cutter.add(post(BODY)[-5:])

    cutter.clear()

    assert (cutter.begun, cutter.held) == (False, 0)
    assert cutter.next() is None


LONG = b"a" * 20_000
HEAD = ("POST /predict HTTP/1.1", "Host: x", "Transfer-Encoding: chunked")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + LONG + b"\n", 414),
        (headed("GET / HTTP/1.1", "Host: x")[:-2] + b"X-A: " + LONG + b"\n\r\n", 431),
        (headed(*HEAD, body=b"1;" + LONG + b"\n\r\n"), 400),
        (headed(*HEAD, body=b"0\r\nX-A: " + LONG + b"\n\r\n"), 431),
    ],
    ids=["request", "header", "chunk", "trailer"],
)
def test_a_line_that_is_too_long_is_so_however_it_arrives(sent: bytes, status: int) -> None:
    cuts = [1, 60, 4_000, 6_000, 10_000, len(sent) - 3]

    told = [ask([sent[:cut], sent[cut:]])[0] for cut in cuts]

    assert {each.status for each in told} == {status}
    assert len({each.body for each in told}) == 1
