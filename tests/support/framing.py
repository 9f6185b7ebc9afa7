"""Raw requests as data: what is no valid HTTP, with the status that refuses it, and what is."""

from dataclasses import dataclass

from tests.support.raw import chunked, headed, post

GOOD = b'{"x":[1,2,0.5]}'
TYPE = "Content-Type: application/json"
HOST = "Host: localhost"
POST = "POST /predict HTTP/1.1"
LENGTH = f"Content-Length: {len(GOOD)}"
CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = chunked(GOOD)


@dataclass(frozen=True, slots=True)
class Raw:
    """A request and the status of its answer."""

    status: int
    sent: bytes


def _length(value: str) -> bytes:
    return headed(POST, HOST, TYPE, f"Content-Length: {value}", body=GOOD)


def _coding(value: str, *more: str) -> bytes:
    return headed(POST, HOST, TYPE, f"Transfer-Encoding: {value}", *more, body=CHUNKS)


def _chunks(body: bytes) -> bytes:
    return headed(POST, HOST, TYPE, CHUNKED, body=body)


def _trailer(line: bytes) -> bytes:
    return _chunks(CHUNKS[:-2] + line + b"\r\n\r\n")


def _with(*lines: str, first: str = POST) -> bytes:
    return headed(first, HOST, TYPE, LENGTH, *lines, body=GOOD)


def _to(first: str) -> bytes:
    return _with(first=first)


REFUSED = {
    # ---- two readings of where the body ends
    "length-and-chunked": Raw(400, headed(POST, HOST, TYPE, LENGTH, CHUNKED, body=CHUNKS)),
    "chunked-and-length": Raw(400, headed(POST, HOST, TYPE, CHUNKED, LENGTH, body=CHUNKS)),
    "two-lengths": Raw(400, _with("Content-Length: 3")),
    "two-equal-lengths": Raw(400, _with(LENGTH)),
    "list-of-lengths": Raw(400, _length("15, 15")),
    "plus-length": Raw(400, _length("+15")),
    "plus-7-length": Raw(400, _length("+7")),
    "minus-length": Raw(400, _length("-1")),
    "minus-0-length": Raw(400, _length("-0")),
    "underscore-length": Raw(400, _length("1_5")),
    "0-underscore-7-length": Raw(400, _length("0_7")),
    "hexadecimal-length": Raw(400, _length("0xf")),
    "fraction-length": Raw(400, _length("15.0")),
    "space-in-length": Raw(400, _length("1 5")),
    "other-digits-length": Raw(400, _length("\xb2")),
    "empty-length": Raw(400, _length("")),
    "5000-digits-length": Raw(400, _length("9" * 5000)),
    "space-before-colon": Raw(400, headed(POST, HOST, TYPE, "Content-Length : 15", body=GOOD)),
    "tab-before-colon": Raw(400, headed(POST, HOST, TYPE, "Content-Length\t: 15", body=GOOD)),
    "xchunked": Raw(501, _coding("xchunked")),
    "quoted-chunked": Raw(501, _coding('"chunked"')),
    "identity": Raw(400, headed(POST, HOST, TYPE, "Transfer-Encoding: identity", body=GOOD)),
    "identity-and-length": Raw(400, _with("Transfer-Encoding: identity")),
    "chunked-identity": Raw(400, _coding("chunked, identity")),
    "identity-chunked": Raw(501, _coding("identity, chunked")),
    "gzip-chunked": Raw(501, _coding("gzip, chunked")),
    "gzip-then-chunked": Raw(501, _coding("gzip", CHUNKED)),
    "gzip": Raw(400, _coding("gzip")),
    "empty-coding": Raw(501, _coding("")),
    "chunked-twice": Raw(400, _coding("chunked", CHUNKED)),
    "chunked-chunked": Raw(400, _coding("chunked, chunked")),
    "chunked-in-1.0": Raw(400, headed("POST /predict HTTP/1.0", HOST, TYPE, CHUNKED, body=CHUNKS)),
    # ---- chunks
    "bad-chunk-size": Raw(400, _chunks(b"z\r\n" + GOOD)),
    "empty-chunk-size": Raw(400, _chunks(b"\r\n" + GOOD)),
    "minus-chunk-size": Raw(400, _chunks(b"-f\r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "plus-chunk-size": Raw(400, _chunks(b"+f\r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "0x-chunk-size": Raw(400, _chunks(b"0xf\r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "underscore-chunk-size": Raw(400, _chunks(b"0_f\r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "space-before-chunk-size": Raw(400, _chunks(b" f\r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "space-behind-chunk-size": Raw(400, _chunks(b"f \r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "space-behind-last-size": Raw(400, _chunks(b"f\r\n" + GOOD + b"\r\n0 \r\n\r\n")),
    "bare-lf-behind-chunk-size": Raw(400, _chunks(b"f\n" + GOOD + b"\r\n0\r\n\r\n")),
    "bare-cr-in-chunk-size": Raw(400, _chunks(b"f\r" + GOOD + b"\r\n0\r\n\r\n")),
    "chunk-longer-than-its-size": Raw(400, _chunks(b"f\r\n" + GOOD + b"XX0\r\n\r\n")),
    "chunk-shorter-than-its-size": Raw(400, _chunks(b"11\r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "bare-lf-behind-chunk": Raw(400, _chunks(b"f\r\n" + GOOD + b"\n\n0\r\n\r\n")),
    "control-in-chunk-extension": Raw(400, _chunks(b"f;a=\x01\r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "bare-cr-in-chunk-extension": Raw(400, _chunks(b"f;a=\rb\r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "open-quote-in-chunk-extension": Raw(400, _chunks(b'f;a="b\r\n' + GOOD + b"\r\n0\r\n\r\n")),
    "endless-chunk-size": Raw(400, _chunks(b"0" * 20_000 + b"f\r\n")),
    "endless-chunk-extension": Raw(400, _chunks(b"f;a=" + b"a" * 20_000)),
    "length-in-trailer": Raw(400, _chunks(CHUNKS[:-2] + b"Content-Length: 3\r\n\r\n")),
    "host-in-trailer": Raw(400, _chunks(CHUNKS[:-2] + b"Host: other\r\n\r\n")),
    "coding-in-trailer": Raw(400, _chunks(CHUNKS[:-2] + b"Transfer-Encoding: chunked\r\n\r\n")),
    "key-in-trailer": Raw(400, _chunks(CHUNKS[:-2] + b"Authorization: Bearer x\r\n\r\n")),
    "endless-trailer": Raw(431, _chunks(CHUNKS[:-2] + b"X-A: " + b"a" * 20_000)),
    "long-trailer": Raw(431, _chunks(CHUNKS[:-2] + b"X-A: " + b"a" * 9000 + b"\r\n\r\n")),
    "long-chunk-extension": Raw(
        400, _chunks(b"f;a=" + b"a" * 9000 + b"\r\n" + GOOD + b"\r\n0\r\n\r\n")
    ),
    "request-in-trailer": Raw(400, _trailer(b"GET /admin HTTP/1.1")),
    "name-in-trailer-with-nul": Raw(400, _trailer(b"Host\x00 : x")),
    "space-before-colon-in-trailer": Raw(400, _trailer(b"X-A : 1")),
    "no-name-in-trailer": Raw(400, _trailer(b": 1")),
    "folded-trailer": Raw(400, _trailer(b"X-A: 1\r\n 2")),
    "control-in-trailer": Raw(400, _trailer(b"X-A: \x1b[31m")),
    "nul-in-trailer": Raw(400, _trailer(b"X-A: 1\x002")),
    "bare-cr-in-trailer": Raw(400, _trailer(b"X-A: 1\r2")),
    "many-trailers": Raw(431, _chunks(CHUNKS[:-2] + b"X-A: 1\r\n" * 110 + b"\r\n")),
    # ---- lines and headers
    "bare-lf": Raw(400, b"POST /predict HTTP/1.1\nHost: localhost\n\n"),
    "bare-lf-in-headers": Raw(400, b"GET /healthz HTTP/1.1\r\nHost: localhost\nX-A: 1\r\n\r\n"),
    "bare-cr-in-header": Raw(400, _with("X-A: 1\r2")),
    "two-empty-lines-first": Raw(400, b"\r\n\r\n" + post(GOOD)),
    "folded-header": Raw(400, headed(POST, HOST, "X-A: 1\r\n 2", TYPE, LENGTH, body=GOOD)),
    "tab-folded-header": Raw(400, headed(POST, HOST, "X-A: 1\r\n\t2", TYPE, LENGTH, body=GOOD)),
    "folded-length": Raw(400, headed(POST, HOST, TYPE, "Content-Length:\r\n 15", body=GOOD)),
    "space-before-first-header": Raw(400, headed(POST, f" {HOST}", TYPE, LENGTH, body=GOOD)),
    "header-without-colon": Raw(400, _with("nonsense")),
    "header-without-name": Raw(400, _with(": 1")),
    "quote-in-header-name": Raw(400, _with('X"A: 1')),
    "raw-byte-in-header-name": Raw(400, _with("X-\xc4: 1")),
    "nul-in-header": Raw(400, _with("X-A: 1\x002")),
    "nul-in-header-name": Raw(400, _with("X-\x00A: 1")),
    "control-in-header": Raw(400, _with("X-A: \x1b[31m")),
    "del-in-header": Raw(400, _with("X-A: \x7f")),
    "long-header": Raw(431, _with(f"X-A: {'a' * 9000}")),
    "endless-header": Raw(431, headed(POST, HOST)[:-2] + b"X-A: " + b"a" * 20_000),
    "long-header-name": Raw(431, _with(f"{'a' * 9000}: 1")),
    "many-headers": Raw(431, _with(*["X-A: 1"] * 110)),
    "two-hosts": Raw(400, _with("Host: other")),
    "two-equal-hosts": Raw(400, _with(HOST)),
    "no-host": Raw(400, headed(POST, TYPE, LENGTH, body=GOOD)),
    "no-host-but-an-address": Raw(400, headed("GET http://localhost/healthz HTTP/1.1")),
    "two-types": Raw(400, _with("Content-Type: text/plain")),
    "expect-other": Raw(417, _with("Expect: foo")),
    "expect-two": Raw(417, _with("Expect: 100-continue, foo")),
    # ---- the first line
    "nul-in-path": Raw(400, _to("POST /pre\x00dict HTTP/1.1")),
    "raw-bytes-in-path": Raw(400, _to("POST /pr\xe9dict HTTP/1.1")),
    "utf-8-in-path": Raw(400, _to("POST /pr\xc3\xa9dict HTTP/1.1")),
    "control-in-path": Raw(400, _to("POST /pre\x1bdict HTTP/1.1")),
    "space-in-path": Raw(400, _to("POST /pre dict HTTP/1.1")),
    "tab-in-first-line": Raw(400, _to("POST\t/predict\tHTTP/1.1")),
    "two-spaces-in-first-line": Raw(400, _to("POST  /predict HTTP/1.1")),
    "space-before-method": Raw(400, _to(" POST /predict HTTP/1.1")),
    "space-behind-version": Raw(400, _to("POST /predict HTTP/1.1 ")),
    "long-path": Raw(414, _to(f"POST /{'a' * 5000} HTTP/1.1")),
    "endless-path": Raw(414, b"POST /" + b"a" * 20_000),
    "no-path": Raw(400, _to("POST HTTP/1.1")),
    "relative-path": Raw(400, _to("POST predict HTTP/1.1")),
    "asterisk-for-post": Raw(400, _to("POST * HTTP/1.1")),
    "bracket-in-address": Raw(400, _to("POST http://[::1/predict HTTP/1.1")),
    "lower-case-method": Raw(400, _to("post /predict HTTP/1.1")),
    "get-in-lower-case": Raw(400, b"get /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
    "nul-in-method": Raw(400, _to("PO\x00ST /predict HTTP/1.1")),
    "colon-behind-method": Raw(400, _to("POST: /predict HTTP/1.1")),
    "http-0.9": Raw(400, b"GET /healthz\r\n\r\n"),
    "http-0.9-version": Raw(400, _to("POST /predict HTTP/0.9")),
    "http-1.2": Raw(400, _to("POST /predict HTTP/1.2")),
    "http-2": Raw(400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "http-3": Raw(400, _to("POST /predict HTTP/3.0")),
    "long-version": Raw(400, _to(f"POST /predict HTTP/{'1' * 2000}.1")),
    "lower-case-version": Raw(400, _to("POST /predict http/1.1")),
    "other-protocol": Raw(400, _to("POST /predict FTP/1.1")),
    "proxy-protocol": Raw(400, b"PROXY TCP4 6.6.6.6 127.0.0.1 5 80\r\n" + post(GOOD)),
    "noise": Raw(400, bytes(range(256)) * 4 + b"\r\n\r\n"),
    "tls-hello": Raw(400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200))),
}
"""Each is followed by closing the connection; nothing that stands behind it is looked at."""

TAKEN = {
    "plain": Raw(200, post(GOOD)),
    "chunked": Raw(200, _chunks(CHUNKS)),
    "chunked-in-capitals": Raw(200, _coding("Chunked")),
    "chunks-of-1": Raw(200, _chunks(chunked(GOOD, 1))),
    "chunk-sizes-with-zeros": Raw(200, _chunks(b"000f\r\n" + GOOD + b"\r\n000\r\n\r\n")),
    "chunk-size-in-capitals": Raw(200, _chunks(b"F\r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "chunk-extension": Raw(200, _chunks(b'f ;a;b=c; d="e \\" f"\r\n' + GOOD + b"\r\n0\r\n\r\n")),
    "trailers": Raw(200, _chunks(CHUNKS[:-2] + b"X-A: 1\r\nVary: *\r\n\r\n")),
    "odd-trailers": Raw(200, _trailer(b"X.A|b!#$%&'*+^`~:\t \xe9 \r\nX-B:")),
    "length-with-zeros": Raw(200, _length("0000015")),
    "padded-values": Raw(200, headed(POST, "Host:\t x \t", f"{TYPE} \t", LENGTH, body=GOOD)),
    "latin-1-value": Raw(200, _with("X-A: caf\xe9")),
    "odd-header-name": Raw(200, _with("X.A|b!#$%&'*+^`~: 1")),
    "underscore-name": Raw(200, _with("Content_Length: 3", "Transfer_Encoding: chunked")),
    "empty-host": Raw(200, headed(POST, "Host:", TYPE, LENGTH, body=GOOD)),
    "http-1.0": Raw(200, headed("POST /predict HTTP/1.0", TYPE, LENGTH, body=GOOD)),
    "http-1.0-kept": Raw(
        200, headed("POST /predict HTTP/1.0", TYPE, LENGTH, "Connection: keep-alive", body=GOOD)
    ),
    "address": Raw(200, _to("POST http://localhost/predict HTTP/1.1")),
    "address-with-user": Raw(200, _to("POST http://user:word@localhost:80/predict HTTP/1.1")),
    "one-empty-line-first": Raw(200, b"\r\n" + post(GOOD)),
    "get-with-body": Raw(200, headed("GET /healthz HTTP/1.1", HOST, LENGTH, body=GOOD)),
    "get-with-chunks": Raw(200, headed("GET /healthz HTTP/1.1", HOST, CHUNKED, body=CHUNKS)),
    "options-for-all": Raw(404, headed("OPTIONS * HTTP/1.1", HOST)),
    "connect": Raw(404, headed("CONNECT localhost:443 HTTP/1.1", HOST)),
    "slashes": Raw(404, _to("POST //predict HTTP/1.1")),
    "more-slashes": Raw(404, headed("GET ///healthz HTTP/1.1", HOST)),
    "fragment": Raw(200, _to("POST /predict#here HTTP/1.1")),
    "get": Raw(405, headed("GET /predict HTTP/1.1", HOST)),
    "foo": Raw(405, _to("FOO /predict HTTP/1.1")),
    "trace": Raw(405, _to("TRACE /predict HTTP/1.1")),
    "dash-method": Raw(405, _to("-BLARGH /predict HTTP/1.1")),
    "expect-twice": Raw(200, _with("Expect: 100-continue", "Expect: 100-Continue")),
    "upgrade": Raw(200, _with("Connection: Upgrade", "Upgrade: h2c")),
    "100-headers": Raw(200, _with(*["X-A: 1"] * 97)),
    "longest-header": Raw(200, _with(f"X-A: {'a' * (8190 - 7)}")),
    "longest-path": Raw(404, headed(f"GET /{'a' * (4094 - 14)} HTTP/1.1", HOST)),
}
"""Valid, if odd: each is answered, and the next request on the connection is as well."""
