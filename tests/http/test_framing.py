"""How requests are cut out of a connection's bytes, through a real server and a bare socket."""

import pytest

from tests.support.framing import CHUNKED, GOOD, HOST, LENGTH, POST, REFUSED, TAKEN, TYPE, Raw
from tests.support.raw import Wire, chunked, headed, post
from tests.support.server import Server


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
def test_malformed_request_is_refused_and_what_is_behind_it_never_runs(
    raw: Raw, server: Server
) -> None:
    with Wire(server) as wire:
        wire.send(raw.sent + post(GOOD, "X-Request-Id: smuggled"))

        answers = wire.answers()  # until the service closes the connection

    assert [answer.status for answer in answers] == [raw.status]
    assert answers[0].headers["Connection"] == "close"
    assert answers[0].json["error"]
    assert '"request_id":"smuggled"' not in server.log


@pytest.mark.parametrize("raw", TAKEN.values(), ids=TAKEN)
def test_odd_but_valid_request_is_answered(raw: Raw, server: Server) -> None:
    with Wire(server) as wire:
        wire.send(raw.sent)
        answer = wire.answer()
        if answer.headers["Connection"] == "keep-alive":
            wire.send(post())

            assert wire.answer().status == 200

    assert answer.status == raw.status
    assert (answer.headers.get("Allow") is not None) == (raw.status == 405)


@pytest.mark.parametrize("cut", [0, 1, 14], ids=["nothing", "one-byte", "all-but-one-byte"])
@pytest.mark.parametrize("how", ["length", "chunks"])
def test_body_that_ends_early_is_refused_or_the_connection_closed(
    how: str, cut: int, server: Server
) -> None:
    if how == "length":
        sent = headed(POST, HOST, TYPE, LENGTH, body=GOOD[:cut])
    else:
        sent = headed(POST, HOST, TYPE, CHUNKED, body=b"f\r\n" + GOOD[:cut])

    with Wire(server) as wire:
        wire.send(sent)
        wire.finish()
        answers = wire.answers()

    assert [answer.status for answer in answers] in ([], [400])


def test_chunks_without_an_end_are_refused(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(headed(POST, HOST, TYPE, CHUNKED, body=b"f\r\n" + GOOD + b"\r\n"))
        wire.finish()
        answers = wire.answers()

    assert [answer.status for answer in answers] in ([], [400])


@pytest.mark.parametrize("size", [1, 7, 15, 1000])
def test_chunked_body_is_read_whatever_its_chunks(size: int, server: Server) -> None:
    with Wire(server) as wire:
        wire.send(headed(POST, HOST, TYPE, CHUNKED, body=chunked(GOOD, size)))

        assert wire.answer().status == 200


def test_chunk_extensions_and_trailers_are_read_past(server: Server) -> None:
    body = b"f;name=value\r\n" + GOOD + b"\r\n0\r\nX-Trailer: 1\r\n\r\n"

    with Wire(server) as wire:
        wire.send(headed(POST, HOST, TYPE, CHUNKED, body=body) + post())

        assert [wire.answer().status for _ in range(2)] == [200, 200]


def test_length_shorter_than_the_body_cuts_it_and_ends_the_connection(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(headed(POST, HOST, TYPE, "Content-Length: 5", body=GOOD + b"\r\n\r\n"))

        cut, rest = wire.answers()

    assert (cut.status, rest.status) == (400, 400)


def test_whole_request_is_answered_though_nothing_more_will_come(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(post())
        wire.finish()

        assert wire.answer().status == 200


def test_pipelined_requests_are_answered_in_order_up_to_the_first_bad_one(server: Server) -> None:
    ids = [f"pipelined-{number}" for number in range(100)]
    sent = [post(GOOD, f"X-Request-Id: {each}") for each in ids]
    sent[60] = headed(POST, HOST, TYPE, "Content-Length: -1")

    with Wire(server) as wire:
        wire.send(b"".join(sent))
        wire.finish()
        answers = wire.answers()

    assert [answer.headers["X-Request-Id"] for answer in answers[:60]] == ids[:60]
    assert [answer.status for answer in answers] == [200] * 60 + [400]


def test_client_that_waits_for_100_continue_is_answered(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(headed(POST, HOST, TYPE, LENGTH, "Expect: 100-continue"))
        interim = wire.answer()
        wire.send(GOOD)

        assert interim.status == 100
        assert wire.answer().status == 200


def test_http_1_0_client_is_never_told_to_continue(server: Server) -> None:
    head = headed("POST /predict HTTP/1.0", TYPE, LENGTH, "Expect: 100-continue")

    with Wire(server) as wire:
        wire.send(head + GOOD[:-1])
        with Wire(server) as other:  # by then the head has most likely been looked at
            other.send(post())
            assert other.answer().status == 200
        wire.send(GOOD[-1:])

        assert [answer.status for answer in wire.answers()] == [200]


def test_http_1_0_client_is_answered_and_the_connection_closed(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(headed("POST /predict HTTP/1.0", TYPE, LENGTH, body=GOOD))

        only = wire.answers()

    assert [answer.status for answer in only] == [200]


def test_connection_is_kept_after_each_kind_of_error(server: Server) -> None:
    bad = [post(b"{"), post(target="/nope"), headed("GET /predict HTTP/1.1", HOST)]

    with Wire(server) as wire:
        for each in bad:
            wire.send(each + post())
            refused, served = wire.answer(), wire.answer()

            assert 400 <= refused.status < 500
            assert served.status == 200


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "Forwarded: for=6.6.6.6;proto=https"],
)
def test_forwarded_headers_of_strangers_change_nothing(header: str, server: Server) -> None:
    with Wire(server) as wire:
        wire.send(headed("GET /models/tiny HTTP/1.1", "Host: here", header))
        told = wire.answer().json["example"]["curl"]

    assert "http://here/models/tiny/predict" in told
    assert "6.6.6.6" not in server.log
