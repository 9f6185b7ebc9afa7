"""What a hostile or clumsy client sends, as data: each case with the answer that it must get."""

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Case:
    """One request and what answers it.

    Attributes:
        name: of the test.
        status: that must answer it.
        body: as sent.
        says: what the error must contain, in its sentence or in the first detail.
        target: as in the request line.
    """

    name: str
    status: int
    body: bytes = b'{"x":[1,2,0.5]}'
    says: str = ""
    method: str = "POST"
    target: str = "/predict"
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)


def typed(name: str, status: int, content_type: str | None, says: str = "") -> Case:
    """A good body, declared as something."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    return Case(f"type-{name}", status, says=says, headers=headers)


def accepting(name: str, status: int, accept: str) -> Case:
    """A good request by a client that accepts something."""
    says = "Accept" if status == 406 else ""
    return Case(f"accept-{name}", status, says=says, headers=JSON | {"Accept": accept})


def encoded(name: str, status: int, coding: str, body: bytes, says: str = "") -> Case:
    """A body, declared to be encoded somehow."""
    return Case(f"coding-{name}", status, body, says, headers=JSON | {"Content-Encoding": coding})


def raw_deflate(data: bytes) -> bytes:
    """What some call deflate: the same without the envelope that HTTP wants."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


GOOD = b'{"x":[1,2,0.5]}'
PACKED = gzip.compress(GOOD, mtime=0)

NOT_JSON = "not valid JSON"
FULL = {"width": 1, "height": 2, "depth": 0.5}

DOCUMENTS = (
    Case("empty", 400, b"", "it is empty"),
    Case("blank", 400, b" \r\n\t ", "it is empty"),
    Case("not-json", 400, b"x=1,2,3", NOT_JSON),
    Case("xml", 400, b"<x>1</x>", NOT_JSON),
    Case("bare-null", 400, b"null", "must be an object"),
    Case("bare-list", 400, b"[1,2,0.5]", "must be an object"),
    Case("bare-number", 400, b"1", "must be an object"),
    Case("bare-text", 400, b'"x"', "must be an object"),
    Case("no-x", 400, b"{}", "has no 'x'"),
    Case("two-documents", 400, GOOD + GOOD, NOT_JSON),
    Case("two-lines", 400, GOOD + b"\n" + GOOD, "line 2, column 1"),
    Case("trailing-garbage", 400, GOOD + b"x", NOT_JSON),
    Case("trailing-nul", 400, GOOD + b"\x00", NOT_JSON),
    Case("leading-nul", 400, b"\x00" + GOOD, NOT_JSON),
    Case("cut-off", 400, GOOD[:-1], "unexpected end of data"),
    Case("cut-off-text", 400, b'{"x":["a', "unexpected end of data"),
    Case("cut-off-escape", 400, b'{"x":["a\\', NOT_JSON),
    Case("wrong-bracket", 400, b'{"x":[1,2,0.5}]', NOT_JSON),
    Case("extra-bracket", 400, b'{"x":[1,2,0.5]]}', NOT_JSON),
    Case("trailing-comma-list", 400, b'{"x":[1,2,0.5,]}', "trailing comma"),
    Case("trailing-comma-object", 400, b'{"x":[1,2,0.5],}', "trailing comma"),
    Case("missing-comma", 400, b'{"x":[1 2 0.5]}', NOT_JSON),
    Case("double-comma", 400, b'{"x":[1,,2]}', NOT_JSON),
    Case("comment", 400, b'{"x":[1,2,0.5] /* mm */}', NOT_JSON),
    Case("line-comment", 400, b'// mm\n{"x":[1,2,0.5]}', NOT_JSON),
    Case("single-quotes", 400, b"{'x':[1,2,0.5]}", NOT_JSON),
    Case("bare-key", 400, b"{x:[1,2,0.5]}", NOT_JSON),
    Case("python", 400, b'{"x":[None,True,0.5]}', NOT_JSON),
    Case("control-character", 400, b'{"x":["a\nb",2,0.5]}', "control character"),
    Case("raw-nul-in-text", 400, b'{"x":["a\x00b",2,0.5]}', "control character"),
    Case("bad-escape", 400, b'{"x":["\\x41",2,0.5]}', NOT_JSON),
    Case("bad-unicode-escape", 400, b'{"x":["\\u00g0",2,0.5]}', NOT_JSON),
    Case("lone-high-surrogate", 400, b'{"x":["\\ud800",2,0.5]}', NOT_JSON),
    Case("lone-low-surrogate", 400, b'{"x":["\\udc00",2,0.5]}', NOT_JSON),
    Case("surrogates-reversed", 400, b'{"x":["\\udc00\\ud800",2,0.5]}', NOT_JSON),
    Case("surrogate-key", 400, b'{"\\ud800":1}', NOT_JSON),
    Case("surrogate-in-utf-8", 400, b'{"x":["\xed\xa0\x80",2,0.5]}', "byte 7"),
    Case("bad-utf-8", 400, b'{"x":["\xff",2,0.5]}', "byte 7 (from 0) is not UTF-8"),
    Case("overlong-utf-8", 400, b'{"x":["\xc0\xaf",2,0.5]}', "byte 7"),
    Case("beyond-unicode", 400, b'{"x":["\xf4\x90\x80\x80",2,0.5]}', "byte 7"),
    Case("latin-1", 400, '{"x":["é",2,0.5]}'.encode("latin-1"), "byte 7"),
    Case("bom", 400, b"\xef\xbb\xbf" + GOOD, "byte order mark"),
    Case("utf-16", 400, GOOD.decode().encode("utf-16"), "UTF-16"),
    Case("utf-16-le", 400, GOOD.decode().encode("utf-16-le"), "UTF-16"),
    Case("utf-16-be", 400, GOOD.decode().encode("utf-16-be"), "UTF-16"),
    Case("utf-32", 400, GOOD.decode().encode("utf-32"), "UTF-32"),
    Case("utf-32-be", 400, GOOD.decode().encode("utf-32-be"), "UTF-32"),
    Case("utf-7", 400, b"+AHs-", NOT_JSON),
    Case("deep-1000", 400, b'{"x":' + b"[" * 1000 + b"]" * 1000 + b"}", "2 problems in 1 row"),
    Case("deep-1025", 400, b'{"x":' + b"[" * 1025 + b"]" * 1025 + b"}", "depth"),
    Case("deep-10000", 400, b'{"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "depth"),
    Case("deep-200000", 400, b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "deeper"),
    Case("deep-unclosed", 400, b"[" * 200_000, "deeper"),
    Case("deep-objects", 400, b'{"x":' * 100_000 + b"1" + b"}" * 100_000, "deeper"),
    Case("deep-mixed", 400, b'[{"x":' * 100_000, "deeper"),
    Case("deep-twice-a-key", 400, b'{"x":' * 1000 + b'{"a":1,"a":2}' + b"}" * 1000, " twice"),
)

NUMBERS = (
    Case("nan", 400, b'{"x":[NaN,2,0.5]}', "NaN at line 1, column 7"),
    Case("nan-lower-case", 400, b'{"x":[1,nan,0.5]}', "null stands for a missing value"),
    Case("infinity", 400, b'{"x":[1,2,Infinity]}', "Infinity at line 1"),
    Case("minus-infinity", 400, b'{"x":[1,2,-Infinity]}', "-Infinity at line 1"),
    Case("1e999", 400, b'{"x":[1,2,1e999]}', "line 1, column 11"),
    Case("minus-1e999", 400, b'{"x":[1,2,-1e999]}', NOT_JSON),
    Case("400-digits", 400, b'{"x":[1,2,%s]}' % (b"9" * 400), NOT_JSON),
    Case("5000-digits", 400, b'{"x":[1,2,%s]}' % (b"9" * 5000), NOT_JSON),
    Case("million-digits", 400, b'{"x":[1,2,%s]}' % (b"9" * 1_000_000), NOT_JSON),
    Case("minus-5000-digits", 400, b'{"x":[1,2,-%s]}' % (b"9" * 5000), NOT_JSON),
    Case("300-digits", 400, b'{"x":[1,2,%s]}' % (b"9" * 300), "between -1e+100 and 1e+100"),
    Case("over-the-largest", 400, b'{"x":[1,2,1.01e100]}', "between -1e+100 and 1e+100"),
    Case("the-largest", 200, b'{"x":[1,2,1e100]}'),
    Case("20-digits", 200, b'{"x":[1,2,18446744073709551616]}'),
    Case("1e-400", 200, b'{"x":[1,2,1e-400]}'),
    Case("5000-decimals", 200, b'{"x":[1,2,0.%s]}' % (b"1" * 5000)),
    Case("minus-zero", 200, b'{"x":[-0,-0.0,-0e5]}'),
    Case("leading-zero", 400, b'{"x":[01,2,0.5]}', "leading zero"),
    Case("minus-leading-zero", 400, b'{"x":[-01,2,0.5]}', NOT_JSON),
    Case("leading-plus", 400, b'{"x":[+1,2,0.5]}', NOT_JSON),
    Case("leading-point", 400, b'{"x":[.5,2,0.5]}', NOT_JSON),
    Case("trailing-point", 400, b'{"x":[1.,2,0.5]}', NOT_JSON),
    Case("hexadecimal", 400, b'{"x":[0x10,2,0.5]}', NOT_JSON),
    Case("underscore", 400, b'{"x":[1_000,2,0.5]}', NOT_JSON),
    Case("lone-minus", 400, b'{"x":[-,2,0.5]}', NOT_JSON),
    Case("lone-exponent", 400, b'{"x":[1e,2,0.5]}', NOT_JSON),
    Case("other-digits", 400, '{"x":[\u0661,2,0.5]}'.encode(), NOT_JSON),
)

_LONG = b"[1.0000000000000001,2.0000000000000001,3.0000000000000001],"
_LARGE = _LONG * 999
"""60 KB of right rows, one fewer than are allowed; what else is wrong, a thread finds out."""

_ESCAPED = rb'{"wid\u0074h":1,"height":2,"depth":3}'

ROWS = (
    Case("x-empty", 400, b'{"x":[]}', "'x' is empty"),
    Case("x-null", 400, b'{"x":null}', "a row must be a list of 3 values"),
    Case("x-number", 400, b'{"x":1}', "a row must be a list of 3 values"),
    Case("x-text", 400, b'{"x":"1,2,3"}', "a row must be a list of 3 values"),
    Case("x-true", 400, b'{"x":true}', "a row must be a list of 3 values"),
    Case("row-empty", 400, b'{"x":[[]]}', "has 0 of 3 values"),
    Case("row-empty-object", 400, b'{"x":{}}', "3 problems in 1 row"),
    Case("row-short", 400, b'{"x":[1,2]}', "'depth': the row has 2 of 3 values"),
    Case("row-long", 400, b'{"x":[1,2,3,4]}', "has 4 values, the model takes 3"),
    Case("row-nested", 400, b'{"x":[[[1,2,3]]]}', "2 problems in 1 row"),
    Case("row-null", 400, b'{"x":[[1,2,3],null]}', "row 1: a row must be"),
    Case("row-scalar", 400, b'{"x":[[1,2,3],4,5]}', "2 problems in 3 rows"),
    Case("row-text", 400, b'{"x":[[1,2,3],"abc"]}', "row 1: a row must be"),
    Case("ragged", 400, b'{"x":[[1,2,3],[1,2]]}', "row 1, 'depth'"),
    Case("ragged-count-fits", 400, b'{"x":[[1,2,3,4],[1,2]]}', "2 problems in 2 rows"),
    Case("ragged-one-and-five", 400, b'{"x":[[1],[1,2,3,4,5]]}', "2 problems in 2 rows"),
    Case("ragged-objects", 400, b'{"x":[[1,2,3],{"width":1}]}', "2 problems in 2 rows"),
    Case("flat-batch", 400, b'{"x":[1,2,3,4,5,6]}', "has 6 values, the model takes 3"),
    Case("boolean", 400, b'{"x":[true,2,0.5]}', "row 0, 'width': must be a number"),
    Case("boolean-false", 400, b'{"x":[1,2,false]}', "row 0, 'depth': must be a number"),
    Case("numeric-text", 400, b'{"x":["1",2,0.5]}', "must be a number, without quotes"),
    Case("text", 400, b'{"x":[1,"tall",0.5]}', "row 0, 'height': must be a number"),
    Case("nul-text", 400, b'{"x":[1,"\\u0000",0.5]}', "row 0, 'height': must be a number"),
    Case("million-characters", 400, b'{"x":[1,"%s",0.5]}' % (b"a" * 1_000_000), "'height'"),
    Case("million-escapes", 400, b'{"x":[1,"%s",0.5]}' % (b'\\"' * 500_000), "'height'"),
    Case("nested-list", 400, b'{"x":[1,[2],0.5]}', "row 0, 'height': must be a number"),
    Case("nested-object", 400, b'{"x":[1,{"a":2},0.5]}', "row 0, 'height': must be a number"),
    Case("null-value", 400, b'{"x":[1,null,0.5]}', "must not be null"),
    Case("object-unknown-name", 400, b'{"x":{"widht":1,"height":2,"depth":3}}', "2 problems"),
    Case("object-extra-name", 400, b'{"x":{"width":1,"height":2,"depth":3,"a":4}}', "'a'"),
    Case("object-case", 400, b'{"x":{"Width":1,"height":2,"depth":3}}', "2 problems"),
    Case("object-null", 400, b'{"x":{"width":null,"height":2,"depth":3}}', "must not be null"),
    Case("object-empty-name", 400, b'{"x":{"":1,"width":1,"height":2,"depth":3}}', "row 0, ''"),
    Case("object-twice", 400, b'{"x":{"width":1,"width":1,"height":2,"depth":3}}', "'width' twice"),
    Case("object-of-lists", 400, b'{"x":{"width":[1],"height":[2],"depth":[3]}}', "3 problems"),
    Case("unknown-key", 400, b'{"x":[1,2,3],"y":1}', "'y' is not a key"),
    Case("unknown-keys", 400, b'{"x":[1,2,3],"y":1,"z":1,"w":1}', "nor are 2 others"),
    Case("key-in-capitals", 400, b'{"X":[1,2,3]}', "'X' is not a key"),
    Case("other-dialect", 400, b'{"instances":[[1,2,3]]}', "'instances' is not a key"),
    Case("key-twice", 400, b'{"x":[1,2,3],"x":[1,2,3]}', "the key 'x' twice"),
    Case("key-twice-escaped", 400, b'{"x":[1,2,3],"\\u0078":[1,2,3]}', "the key 'x' twice"),
    Case("key-twice-deep", 400, b'{"x":[[1,2,{"a":1,"\\u0061":1}]]}', "the key 'a' twice"),
    Case("key-twice-colons", 400, b'{"x":["::::",":\\":"],"x":1}', "the key 'x' twice"),
    Case("key-long", 400, b'{"%s":1}' % (b"k" * 500_000), "500000 characters"),
    Case("many-keys", 400, b"{%s}" % b",".join(b'"k%d":1' % n for n in range(9000)), "8999"),
    Case("same-key-often", 400, b"{%s}" % b",".join([b'"x":1'] * 9000), "twice"),
    Case("999-rows", 200, b'{"x":[%s]}' % b",".join([b"[1,2,3]"] * 999)),
    Case("1000-rows", 200, b'{"x":[%s]}' % b",".join([b"[1,2,3]"] * 1000)),
    Case("1001-rows", 413, b'{"x":[%s]}' % b",".join([b"[1,2,3]"] * 1001), "has 1001 rows"),
    Case("30000-rows", 413, b'{"x":[%s]}' % b",".join([b"[1,2,3]"] * 30_000), "1000 rows"),
    Case("100000-empty-rows", 413, b'{"x":[%s]}' % b",".join([b"[]"] * 100_000), "1000 rows"),
    Case("100000-empty-objects", 413, b'{"x":[%s]}' % b",".join([b"{}"] * 100_000), "1000 rows"),
    Case("100000-values", 413, b'{"x":[%s]}' % b",".join([b"1"] * 100_000), "1000 rows"),
    Case("wrong-everywhere", 400, b'{"x":[%s]}' % b",".join([b'["a"]'] * 1000), "1980 more"),
    Case("large-right", 200, b'{"x":[%s[1,2,3]]}' % _LARGE),
    Case("large-escaped", 200, b'{"x":[%s%s]}' % (_LARGE, _ESCAPED)),
    Case("large-wrong-at-the-end", 400, b'{"x":[%s[1,"2",3]]}' % _LARGE, "row 999, 'height'"),
    Case("large-short-at-the-end", 400, b'{"x":[%s[1,2]]}' % _LARGE, "row 999, 'depth'"),
    Case("large-broken-at-the-end", 400, b'{"x":[%s[1,2,3}' % _LARGE, NOT_JSON),
    Case("large-wrong-everywhere", 400, b'{"x":[%s1]}' % _LARGE.replace(b",2", b",-"), NOT_JSON),
    Case("large-wide-everywhere", 400, b'{"x":[%s1]}' % _LARGE.replace(b"[", b"[0,"), "1000 prob"),
    Case("large-key-twice", 400, b'{"x":[%s1],"x":1}' % _LARGE, "the key 'x' twice"),
    Case("large-two-rows-more", 413, b'{"x":[%s[1,2,3],[1,"2",3]]}' % _LARGE, "has 1001 rows"),
    Case("single-list", 200, b'{"x":[1]}', target="/models/single/predict"),
    Case("single-scalar", 200, b'{"x":1}', target="/models/single/predict"),
    Case("single-boolean", 400, b'{"x":true}', "'speed'", target="/models/single/predict"),
    Case("single-null", 400, b'{"x":null}', "must not be null", target="/models/single/predict"),
    Case("single-nested", 400, b'{"x":[[[1]]]}', "'speed'", target="/models/single/predict"),
    Case("single-two", 400, b'{"x":[[1,2]]}', "takes 1", target="/models/single/predict"),
)
"""For a limit of 1,000 rows."""

TYPES = (
    typed("none", 415, None, "no Content-Type"),
    typed("empty", 415, "", "no Content-Type"),
    typed("text", 415, "text/plain", "'text/plain'"),
    typed("form", 415, "application/x-www-form-urlencoded"),
    typed("multipart", 415, "multipart/form-data; boundary=x"),
    typed("octets", 415, "application/octet-stream"),
    typed("text-json", 415, "text/json"),
    typed("vendor", 415, "application/vnd.api+json"),
    typed("jsonp", 415, "application/json-patch"),
    typed("list", 415, "application/json, text/plain"),
    typed("nonsense", 415, ";;;==="),
    typed("long", 415, "a" * 4000, "aaa"),
    typed("capitals", 200, "APPLICATION/JSON"),
    typed("utf-8", 200, "application/json; charset=utf-8"),
    typed("utf-8-capitals", 200, "application/json;Charset=UTF-8"),
    typed("utf-8-quoted", 200, 'application/json; charset="utf-8"'),
    typed("utf8", 200, "application/json; charset=utf8"),
    typed("semicolon", 200, "application/json;"),
    typed("other-parameter", 200, "application/json; profile=x"),
    typed("latin-1", 415, "application/json; charset=iso-8859-1", "in UTF-8"),
    typed("utf-16", 415, "application/json; charset=utf-16", "in UTF-8"),
    typed("unknown-charset", 415, "application/json; charset=klingon", "in UTF-8"),
    accepting("anything", 200, "*/*"),
    accepting("application", 200, "application/*"),
    accepting("json", 200, "application/json"),
    accepting("capitals", 200, "Application/JSON"),
    accepting("charset", 200, "application/json; charset=utf-8"),
    accepting("browser", 200, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    accepting("little", 200, "text/html, application/json;q=0.001"),
    accepting("empty", 200, ""),
    accepting("html", 406, "text/html"),
    accepting("csv", 406, "text/csv, application/xml"),
    accepting("zero", 406, "application/json;q=0"),
    accepting("zero-though-anything", 406, "application/json;q=0, */*"),
    accepting("zero-application", 406, "application/*;q=0, */*"),
    accepting("nothing", 406, "*/*;q=0"),
    accepting("json-though-not-anything", 200, "*/*;q=0, application/json"),
    encoded("identity", 200, "identity", GOOD),
    encoded("gzip", 200, "gzip", PACKED),
    encoded("gzip-capitals", 200, "GZip", PACKED),
    encoded("x-gzip", 200, "x-gzip", PACKED),
    encoded("deflate", 200, "deflate", zlib.compress(GOOD)),
    encoded("deflate-raw", 400, "deflate", raw_deflate(GOOD), "not valid deflate"),
    encoded("gzip-in-truth-plain", 400, "gzip", GOOD, "not valid gzip"),
    encoded("gzip-in-truth-deflate", 400, "gzip", zlib.compress(GOOD), "not valid gzip"),
    encoded("deflate-in-truth-gzip", 400, "deflate", PACKED, "not valid deflate"),
    encoded("plain-in-truth-gzip", 400, "identity", PACKED, NOT_JSON),
    encoded("gzip-empty", 400, "gzip", b"", "not one whole gzip stream"),
    encoded("gzip-of-nothing", 400, "gzip", gzip.compress(b"", mtime=0), "it is empty"),
    encoded("gzip-cut-off", 400, "gzip", PACKED[:-9], "not one whole gzip stream"),
    encoded("gzip-without-end", 400, "gzip", PACKED[:-4], "not one whole gzip stream"),
    encoded("gzip-garbage-behind", 400, "gzip", PACKED + b"x", "not one whole gzip stream"),
    encoded("gzip-twice-behind", 400, "gzip", PACKED + PACKED, "not one whole gzip stream"),
    encoded("gzip-wrong-sum", 400, "gzip", PACKED[:-8] + bytes(8), "not valid gzip"),
    encoded("gzip-in-gzip", 400, "gzip", gzip.compress(PACKED, mtime=0), NOT_JSON),
    encoded("stacked", 415, "gzip, gzip", gzip.compress(PACKED, mtime=0), "is not known"),
    encoded("brotli", 415, "br", GOOD, "'br' is not known"),
    encoded("zstd", 415, "zstd", GOOD, "use gzip, deflate or none"),
    encoded("nonsense", 415, "a" * 1000, GOOD, "is not known"),
    encoded("bomb-10-mb", 413, "gzip", gzip.compress(bytes(10 << 20), mtime=0), "1048576 bytes"),
    encoded("bomb-200-mb", 413, "gzip", gzip.compress(bytes(200 << 20), 1, mtime=0), "1048576"),
    encoded("bomb-deflate", 413, "deflate", zlib.compress(bytes(50 << 20), 1), "1048576 bytes"),
    encoded("limit-inflated", 200, "gzip", gzip.compress(GOOD.ljust(1 << 20), mtime=0)),
    encoded("over-inflated", 413, "gzip", gzip.compress(GOOD.ljust((1 << 20) + 1)), "1048576"),
    Case("limit-bytes", 200, GOOD.ljust(1 << 20)),
    Case("over-bytes", 413, GOOD.ljust((1 << 20) + 1), "more than 1048576 bytes"),
)
"""For a limit of 1 MiB."""


def asking(name: str, status: int, target: str, method: str = "POST") -> Case:
    """A good body, sent to some address."""
    return Case(f"path-{name}", status, method=method, target=target)


PATHS = (
    asking("named", 200, "/models/tiny/predict"),
    asking("slash-behind", 200, "/predict/"),
    asking("query", 200, "/predict?x=%00&y[]=../"),
    asking("escaped-letter", 200, "/models/%74iny/predict"),
    asking("unknown-name", 404, "/models/nobody/predict"),
    asking("capitals", 404, "/models/Tiny/predict"),
    asking("dots", 404, "/models/../predict"),
    asking("dots-escaped", 404, "/models/%2e%2e/predict"),
    asking("dots-and-slash-escaped", 404, "/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd/predict"),
    asking("slash-escaped", 404, "/models/tiny%2f1/predict"),
    asking("slashes-escaped-into-a-route", 404, "/models/tiny%2Fversions%2f1/predict"),
    asking("slash-escaped-before-a-name", 404, "/models%2ftiny/predict"),
    asking("slash-escaped-at-the-start", 404, "/%2Fpredict"),
    asking("escaped-twice", 404, "/models/%252e%252e%252f/predict"),
    asking("backslash", 404, "/models/..%5c..%5cetc/predict"),
    asking("absolute", 404, "/models/%2fetc/predict"),
    asking("current", 404, "/models/current/predict"),
    asking("dot", 404, "/models/./predict"),
    asking("nul", 404, "/models/tiny%00/predict"),
    asking("newline", 404, "/models/tiny%0d%0aX-Evil:%201/predict"),
    asking("escape-character", 404, "/models/%1b%5b31m/predict"),
    asking("unicode", 404, "/models/%e2%98%83/predict"),
    asking("not-utf-8", 404, "/models/%ff%fe/predict"),
    asking("wide-dots", 404, "/models/%ef%bc%8e%ef%bc%8e/predict"),
    asking("bad-escape", 404, "/models/%zz/predict"),
    asking("markup", 404, "/models/%3Cscript%3E/predict"),
    asking("template", 404, "/models/%7B%7B7*7%7D%7D/predict"),
    asking("long", 404, f"/models/{'a' * 3000}/predict"),
    asking("space", 404, "/models/tiny%20/predict"),
    asking("empty-name", 404, "/models//predict"),
    asking("version", 200, "/models/tiny/versions/1/predict"),
    asking("version-current", 200, "/models/tiny/versions/2/predict"),
    asking("version-unknown", 404, "/models/tiny/versions/3/predict"),
    asking("version-0", 404, "/models/tiny/versions/0/predict"),
    asking("version-01", 404, "/models/tiny/versions/01/predict"),
    asking("version-minus-1", 404, "/models/tiny/versions/-1/predict"),
    asking("version-plus-1", 404, "/models/tiny/versions/+1/predict"),
    asking("version-fraction", 404, "/models/tiny/versions/1.0/predict"),
    asking("version-exponent", 404, "/models/tiny/versions/1e0/predict"),
    asking("version-huge", 404, f"/models/tiny/versions/{'9' * 3000}/predict"),
    asking("version-10-digits", 404, "/models/tiny/versions/4294967297/predict"),
    asking("version-other-digits", 404, "/models/tiny/versions/%d9%a1/predict"),
    asking("version-space", 404, "/models/tiny/versions/1%20/predict"),
    asking("version-newline", 404, "/models/tiny/versions/1%0a/predict"),
    asking("version-dots", 404, "/models/tiny/versions/%2e%2e/predict"),
    asking("version-current-file", 404, "/models/tiny/versions/current/predict"),
    asking("unknown-route", 404, "/nope"),
    asking("deeper-route", 404, "/predict/predict"),
    asking("dotfile", 404, "/.git/config"),
    asking("static", 404, "/static/index.html"),
    asking("manifest", 404, "/models/tiny/1/manifest.json"),
    asking("get", 405, "/predict", "GET"),
    asking("head", 405, "/predict", "HEAD"),
    asking("put", 405, "/predict", "PUT"),
    asking("patch", 405, "/predict", "PATCH"),
    asking("delete", 405, "/models/tiny/predict", "DELETE"),
    asking("delete-model", 405, "/models/tiny", "DELETE"),
    asking("post-models", 405, "/models", "POST"),
    asking("post-health", 405, "/healthz", "POST"),
    asking("trace", 405, "/predict", "TRACE"),
    asking("foo", 405, "/predict", "FOO"),
    asking("options", 200, "/predict", "OPTIONS"),
)
