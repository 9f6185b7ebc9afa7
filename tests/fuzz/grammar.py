"""Bodies of prediction requests made by a grammar that knows what must become of each.

It knows by how it writes them, not by reading: no decoder is involved. What it writes is right, or
wrong in known ways, alone or together, in one of the many notations that JSON has for the same.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

from app.schema import Feature, Schema

RIGHT, WRONG, LENIENT, BROKEN = range(4)
"""JSON that fits; that does not fit; what Python's json takes and must be refused; no JSON."""


@dataclass(frozen=True, slots=True)
class Text:
    """Something written, how good it is, and the number that it stands for."""

    text: bytes
    kind: int = RIGHT
    number: float = nan


@dataclass(frozen=True, slots=True)
class Body:
    """A body with what must become of it.

    Attributes:
        text: as sent.
        kind: the worst that is in it.
        single: whether it is one row, to be answered by one value.
        rows: the model's numbers, where it is right.
    """

    text: bytes
    kind: int
    single: bool
    rows: list[list[float]]


BROKEN_NUMBERS = (
    b"01", b"-01", b"00", b"+1", b".5", b"1.", b"-.5", b"1e", b"1e+", b"0x10", b"1_000", b"--1",
    b"-", b"1 5", b"nan", b"inf", b"+Infinity", b"1.e5", b"0e", b"1d5", b"1L", b"1.0f",
    "\u0661".encode(), "\u22121".encode(), b"None", b"undefined", b"True", b"tru", b"nul", b"'1'",
    b"1;", b"/**/1", b"1//\n", b"1/2", b"$1", b"1%", b"(1)", b"<1>", b"\x001", b"1\x00",
    b"\xff", b"\xef\xbb\xbf1", b"\x0b1", b"\x0c1", b"\xc2\xa01",
)  # fmt: skip
LENIENT_NUMBERS = (
    b"NaN", b"-NaN"[1:], b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1e400", b"1.8e308",
    b"9" * 400, b"-" + b"9" * 400, b"1" + b"0" * 309, b"9" * 309 + b".0",
)  # fmt: skip
WRONG_NUMBERS = (
    b"1e101", b"-1e101", b"9" * 300, b"1.0000000000000002e100", b"true", b"false", b'"1"', b'""',
    b'"NaN"', b'"1e5"', b"[]", b"[true]", b"{}", b'{"a":1}', b"[[[1]]]", b'"\\u0000"', b"1e308",
)  # fmt: skip
BROKEN_STRINGS = (
    b'"a', b"a", b'"\\x41"', b'"\\u12"', b'"\\u00g0"', b'"\t"', b'"\n"', b'"\x00"', b'"\\"',
    b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xe2\x98"', b"'a'",
    b'"a" "b"', b'"\\8"', b'"\\\n"', b'"\x1f"',
)  # fmt: skip
LENIENT_STRINGS = (
    b'"\\ud800"',
    b'"\\udc00"',
    b'"\\ud800\\u0041"',
    b'"\\udc00\\ud800"',
    b'"\\uDFFF"',
)
SPACES = (b"", b"", b"", b" ", b"\n", b"\t", b"\r\n", b"  \n\t ")


class Grammar:
    """Writes bodies for one model.

    Args:
        schema: of the model.
        draw: where chance comes from.
        faults: the share of places that are written wrong.
    """

    def __init__(self, schema: Schema, draw: random.Random, faults: float = 0.02) -> None:
        self._features, self._draw, self._faults = schema.features, draw, faults
        self._width = len(schema.features)
        self._worst = RIGHT

    def body(self) -> Body:
        """One body."""
        self._worst = RIGHT
        single = self._draw.random() < 0.5
        if single:
            x, row = self._row(alone=True)
            rows = [row]
        else:
            written = [self._row(alone=False) for _ in range(self._draw.randrange(1, 6))]
            x, rows = self._list([text for text, _ in written]), [row for _, row in written]
        text = self._document(x)
        return Body(text, self._worst, single, rows if self._worst == RIGHT else [])

    # ---- what the body is made of -----------------------------------------------------------

    def _document(self, x: bytes) -> bytes:
        pairs = [(b'"x"' if self._draw.random() < 0.9 else self._escaped("x"), x)]
        if self._is_faulty():
            more = self._pick((b'"y"', b'"X"', b'""', b'"instances"', b'"x "'))
            pairs.insert(self._draw.randrange(2), (more, self._pick((b"1", b"null", b"[]", b"{}"))))
            self._spoil(WRONG)
        if self._is_faulty():
            pairs.append((self._pick((b'"x"', b'"\\u0078"')), x))
            self._spoil(LENIENT)
        text = self._space() + self._object(pairs) + self._space()
        return self._around(text) if self._is_faulty() else text

    def _around(self, text: bytes) -> bytes:
        """The whole spoiled: nothing of it is JSON in UTF-8 any more."""
        self._spoil(BROKEN)
        spoiled: bytes = self._pick((
            lambda: b"\xef\xbb\xbf" + text,
            lambda: b"\xff\xfe" + text,
            lambda: b"\x00" + text,
            lambda: text + b"\x00",
            lambda: text + b"x",
            lambda: text + b",",
            lambda: text + text,
            lambda: text.rstrip()[:-1],
            lambda: text.replace(b"{", b"(", 1),
            lambda: b"x=" + text,
            lambda: b"[" * 5000 + text,
            lambda: b")]}',\n" + text,
        ))()  # fmt: skip
        return spoiled

    def _row(self, *, alone: bool) -> tuple[bytes, list[float]]:
        """A row in one of its forms, and its numbers."""
        features, named = self._features, self._draw.random() < 0.4
        if self._width > 1 and self._is_faulty():
            self._spoil(WRONG)
            too_many = not named and self._draw.random() < 0.5
            features = (*features, features[0]) if too_many else features[:-1]
        values = [self._value(feature) for feature in features]
        numbers = [value.number for value in values]
        if self._width == len(values) == 1 and alone and self._draw.random() < 0.3:
            return values[0].text, numbers
        texts = [value.text for value in values]
        if named:
            return self._named(texts), numbers
        if alone and texts[0][:1] in (b"{", b"["):
            self._spoil(WRONG)  # rows instead of values: as wrong as before
        return self._list(texts), numbers

    def _named(self, texts: Sequence[bytes]) -> bytes:
        names = [self._string(feature.name) for feature in self._features]
        pairs = list(zip(names, texts, strict=False))
        self._draw.shuffle(pairs)
        if self._is_faulty():
            pairs.append((self._string(self._pick(("Width", "x", "", "a:b"))), b"1"))
            self._spoil(WRONG)
        if self._is_faulty():
            pairs.append(self._pick(pairs))
            self._spoil(LENIENT)
        return self._object(pairs)

    def _value(self, feature: Feature) -> Text:
        if self._is_faulty():
            return self._wrong_value(feature)
        if feature.missing and self._draw.random() < 0.2:
            return Text(b"null")
        if feature.kind == "boolean":
            code = self._draw.randrange(2)
            return Text((b"false", b"true")[code], RIGHT, float(code))
        if feature.kind == "category":
            code = self._draw.randrange(len(feature.categories))
            return Text(self._string(feature.categories[code]), RIGHT, float(code))
        return self._number()

    def _wrong_value(self, feature: Feature) -> Text:
        kind = self._pick((WRONG, WRONG, LENIENT, BROKEN))
        self._spoil(kind)
        numbers = {WRONG: WRONG_NUMBERS, LENIENT: LENIENT_NUMBERS, BROKEN: BROKEN_NUMBERS}
        strings = {LENIENT: LENIENT_STRINGS, BROKEN: BROKEN_STRINGS}
        if kind == WRONG and feature.kind != "number":
            return Text(self._pick((b'"none of them"', b"2", b"[]", b"{}", b'"true"', b"-1")), kind)
        if kind == WRONG and not feature.missing and self._draw.random() < 0.2:
            return Text(b"null", kind)
        if kind != WRONG and self._draw.random() < 0.5:
            return Text(self._pick(strings[kind]), kind)
        return Text(self._pick(numbers[kind]), kind)

    # ---- notations ---------------------------------------------------------------------------

    def _number(self) -> Text:
        """A number up to 1e100, written somehow."""
        draw = self._draw
        text: str = self._pick((
            lambda: str(draw.randrange(-10, 11)),
            lambda: repr(draw.gauss(0, 1)),
            lambda: repr(draw.gauss(0, 1) * 10.0 ** draw.randrange(-320, 99)),
            lambda: f"{draw.randrange(10**18)}e{draw.randrange(-330, 80)}",
            lambda: f"{draw.random():.{draw.randrange(1, 40)}f}",
            lambda: f"{draw.gauss(0, 9):.{draw.randrange(20)}E}".replace("E+", draw.choice("eE")),
            lambda: str(draw.randrange(-(2**70), 2**70)),
            lambda: str(draw.choice((2**53, 2**63, 2**64)) + draw.randrange(-2, 3)),
            lambda: draw.choice(("-0", "0", "-0.0", "0e5", "-0E-7", "1E100", "1e-400", "5e-324")),
            lambda: "0." + "".join(draw.choices("0123456789", k=draw.randrange(1, 800))),
        ))()  # fmt: skip
        # -0 without a point or an exponent is the integer 0, which has no sign.
        return Text(text.encode(), RIGHT, 0.0 if text == "-0" else float(text))

    def _string(self, text: str) -> bytes:
        """This text in quotes, some of it escaped."""
        if self._draw.random() < 0.7:
            return json.dumps(text, ensure_ascii=False).encode()
        return self._escaped(text)

    def _escaped(self, text: str) -> bytes:
        units = text.encode("utf-16-be")
        codes = [units[n : n + 2].hex() for n in range(0, len(units), 2)]
        return b'"' + b"".join(b"\\u" + self._case(code).encode() for code in codes) + b'"'

    def _case(self, text: str) -> str:
        return text.upper() if self._draw.random() < 0.5 else text

    def _list(self, items: Sequence[bytes]) -> bytes:
        return b"[" + self._joined(items) + b"]"

    def _object(self, pairs: Sequence[tuple[bytes, bytes]]) -> bytes:
        items = [key + self._space() + b":" + self._space() + value for key, value in pairs]
        return b"{" + self._joined(items) + b"}"

    def _joined(self, items: Sequence[bytes]) -> bytes:
        comma = b","
        if self._is_faulty() and len(items) > 1:
            self._spoil(BROKEN)
            comma = self._pick((b",,", b" \x01", b";", b":", b", ,"))
        text = comma.join(self._space() + item + self._space() for item in items)
        if self._is_faulty():
            self._spoil(BROKEN)
            return text + b","
        return text

    # ---- chance ------------------------------------------------------------------------------

    def _space(self) -> bytes:
        return self._draw.choice(SPACES)

    def _pick(self, choices: Sequence[Any]) -> Any:
        return self._draw.choice(choices)

    def _is_faulty(self) -> bool:
        return self._draw.random() < self._faults

    def _spoil(self, kind: int) -> None:
        self._worst = max(self._worst, kind)
