"""What is recognised as plain is read exactly as gunicorn's own parser reads it."""

import pytest
from gunicorn.asgi.parser import ParseError
from hypothesis import given
from hypothesis import strategies as st

from app.worker.heads import MAX_PLAIN_FIELDS, Head, allows_plain, recognise
from app.worker.parsing import Parse

LIMITS = {
    "limit_request_line": 4094,
    "limit_request_fields": 100,
    "limit_request_field_size": 8190,
}
MAX_BODY = 1000


def parsed(head: bytes) -> Head | None:
    """What gunicorn's parser makes of it; None for a refusal or if it waits for more."""
    parse = Parse(LIMITS, MAX_BODY)
    try:
        parse.feed(head)
    except ParseError:
        return None
    return parse.head


PLAIN = {
    "a prediction": b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n",
    "a query": b"GET /models?a=%20b&c#no HTTP/1.1\r\nHost: x\r\n\r\n".replace(b"#no", b""),
    "escapes in the path": b"GET /models/%C3%A4%2f HTTP/1.1\r\nHost: x\r\n\r\n",
    "a client that will go": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n",
    "spaces around a value": b"GET / HTTP/1.1\r\nHost:  \t x \r\nX-Y:\r\n\r\n",
    "bytes beyond ASCII": b"GET / HTTP/1.1\r\nHost: x\r\nX-Name: \xe9\r\n\r\n",
}

NOT_PLAIN = {
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
    "chunks": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
    "an expectation": b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
    "an underscore": b"GET / HTTP/1.1\r\nHost: x\r\nX_Model: y\r\n\r\n",
    "a signed length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\nX: y\r\n\r\n",
    "the old version": b"GET / HTTP/1.0\r\nHost: x\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nHost: x\n\n",
    "a fold": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "two slashes": b"GET //host/path HTTP/1.1\r\nHost: x\r\n\r\n",
    "a whole address": b"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "a NUL": b"GET / HTTP/1.1\r\nHost: x\r\nX: \0\r\n\r\n",
    "an upgrade": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
}


@pytest.mark.parametrize("head", PLAIN.values(), ids=PLAIN.keys())
def test_a_plain_head_is_recognised_and_read_as_the_parser_reads_it(head: bytes) -> None:
    found = recognise(head)

    assert found is not None
    assert found == parsed(head)


@pytest.mark.parametrize("head", NOT_PLAIN.values(), ids=NOT_PLAIN.keys())
def test_any_other_head_is_left_to_the_parser(head: bytes) -> None:
    assert recognise(head) is None


@pytest.mark.parametrize(
    ("limits", "allows"),
    [
        ((4094, 100, 8190), True),
        ((0, 0, 0), True),
        ((4000, 60, 4000), True),
        ((3999, 100, 8190), False),
        ((4094, 59, 8190), False),
        ((4094, 100, 3999), False),
    ],
)
def test_limits_that_a_plain_head_may_exceed_are_known(
    limits: tuple[int, int, int], allows: bool
) -> None:
    assert allows_plain(*limits) == allows


def test_a_plain_head_has_so_many_headers_at_most() -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\n%s\r\n"
    more = [b"X-%d: 1\r\n" % number for number in range(MAX_PLAIN_FIELDS)]

    assert recognise(head % b"".join(more[1:])) is not None
    assert recognise(head % b"".join(more)) is None


TOKENS = st.sampled_from(
    b"Host|host|Content-Length|Content-length|Content-Type|Connection|Accept|X-A|X-B|X_C"
    b"|Transfer-Encoding|Expect| X|X ||\xe9".split(b"|")
)
VALUES = st.sampled_from(
    b" x|| 5|5|+5|5,5|0_7| close|keep-alive| Keep-Alive, x|chunked|\tx\t|\x80|\x00|a\nb|a\rb|\x7f"
    b"|100-continue".split(b"|")
)
ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b""])
LINES = st.builds(lambda name, value, end: name + b":" + value + end, TOKENS, VALUES, ENDS)
METHODS = st.sampled_from([b"GET", b"POST", b"get", b"FOO", b"OPTIONS", b"P@ST"])
TARGETS = st.sampled_from(
    [
        b"/",
        b"/predict",
        b"//x/y",
        b"/a?b=c",
        b"/%61%zz",
        b"*",
        b"x",
        b"/\xe9",
        b"/a#b",
        b"http://h/",
    ]
)
VERSIONS = st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"http/1.1"])
HEADS = st.builds(
    lambda method, target, version, lines: (
        b" ".join((method, target, version)) + b"\r\nHost: x\r\n" + b"".join(lines) + b"\r\n"
    ),
    METHODS,
    TARGETS,
    VERSIONS,
    st.lists(LINES, max_size=4),
)


@given(HEADS)
def test_nothing_is_recognised_that_the_parser_reads_otherwise(head: bytes) -> None:
    found = recognise(head)

    if found is not None:
        assert found == parsed(head)


@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_body_in_chunks_is_gathered_whatever_the_pieces(size: int) -> None:
    request = (
        b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n5;x=y\r\ndefgh\r\n0\r\n\r\n"
    )
    parse = Parse(LIMITS, MAX_BODY)

    for start in range(0, len(request), size):
        parse.feed(request[start : start + size])

    assert parse.complete
    assert bytes(parse.body) == b"abcdefgh"
    assert parse.head is not None
    assert "CONTENT_LENGTH" not in parse.head.environ


def test_of_a_body_over_the_limit_no_more_is_kept_than_shows_it() -> None:
    parse = Parse(LIMITS, MAX_BODY)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

    parse.feed(head + b"4000\r\n" + b"a" * 0x4000)

    assert parse.complete
    assert parse.overlong
    assert len(parse.body) == MAX_BODY + 1
