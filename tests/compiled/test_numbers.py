"""Every number that compiled code reads is the float64 nearest to what is written."""

import random
import struct
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.compiled.library import FIRST_POWER, LAST_POWER, power
from app.compiled.plan import Plan
from tests.support.compiled import plan
from tests.support.models import SINGLE


def read(reader: Plan, text: str) -> float | None:
    found = reader.read(b'{"x":[%b]}' % text.encode(), b'"x"', 10)
    return found[0] if isinstance(found, list) else None


def bits(value: float) -> bytes:
    return struct.pack("d", value)


def is_integer(text: str) -> bool:
    return not set(text) & set(".eE")


def check(reader: Plan, text: str) -> bool:
    """Compare with Python's own reading; whether it was read at all."""
    found = read(reader, text)
    if found is None:
        return False
    expected = float(int(text)) if is_integer(text) else float(text)
    assert bits(found) == bits(expected), text
    return True


@given(st.floats(-1e100, 1e100))
def test_what_python_writes_is_read_back(value: float) -> None:
    taken = check(plan(SINGLE), repr(value))

    assert taken or 0 < abs(value) < 1e-80


@given(
    st.integers(0, 10**19 - 1), st.integers(0, 25), st.integers(-130, 130), st.sampled_from("eE")
)
def test_any_way_to_write_a_number(digits: int, point: int, exponent: int, letter: str) -> None:
    text = str(digits)
    if point < len(text):
        text = f"{text[: len(text) - point]}.{text[len(text) - point :]}".rstrip(".")
    else:
        text = f"0.{text.rjust(point, '0')}"

    check(plan(SINGLE), f"{text}{letter}{exponent}")
    check(plan(SINGLE), f"-{text.lstrip('.')}" if text[0] != "." else "0")
    check(plan(SINGLE), f"{text}{letter}{exponent:+03d}")


def test_numbers_right_between_two_floats_are_rounded_to_even_or_left_alone() -> None:
    reader, draw = plan(SINGLE), random.Random(1)
    taken = 0
    with localcontext() as context:
        context.prec = 60
        for _ in range(20_000):
            low = draw.uniform(1, 10) * 10.0 ** draw.randint(-30, 30)
            high = struct.unpack("q", bits(low))[0] + 1
            middle = (Decimal(low) + Decimal(struct.unpack("d", struct.pack("q", high))[0])) / 2
            taken += check(reader, f"{middle:.{draw.randint(15, 18)}e}")

    assert taken > 19_000


@pytest.mark.parametrize(
    "text",
    [
        *("0", "-0", "-0.0", "0e0", "-0e-9999", "0.0000000000000000000000000", "1e22", "1e23"),
        *("9007199254740993", "9007199254740992.5", "18446744073709551615", "9999999999999999999"),
        *("8.5", "4.35", "0.1", "123456789012345678e-17", "1e-100", "1.5e100", "12345678"),
        *("1234567.8", "12345678.12345678", "12345678.123456789", "7.2057594037927933e16"),
        *("100000000000000000000e-20", "0.1e1", "1E5", "1e+5", "1e-0", "1e00005"),
    ],
)
def test_special_numbers(text: str) -> None:
    check(plan(SINGLE), text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "-",
            "+1",
            "01",
            "-01",
            "00",
            "1.",
            ".5",
            "1.e5",
            "1e",
            "1e+",
            "1e-",
            "1ee5",
            "1e5.0",
        ),
        *("--1", "1-", "0x10", "1_0", "1 0", "NaN", "Infinity", "-Infinity", "1e101", "1e9999"),
        *("1e99999999999999999999", "2e100", "\u0663", "1\u00a0", "12345678901234567890123"),
    ],
)
def test_what_is_no_number_or_too_large_is_not_read(text: str) -> None:
    assert read(plan(SINGLE), text) is None


def test_powers_of_ten_are_cut_off_and_have_128_bits() -> None:
    for exponent in range(FIRST_POWER, LAST_POWER + 1):
        found, shift = power(exponent)
        scale = 10 ** max(-exponent, 0) << max(shift, 0)
        exact = 10 ** max(exponent, 0) << max(-shift, 0)

        assert found.bit_length() == 128
        assert found * scale <= exact < (found + 1) * scale
        assert shift == ((217706 * exponent) >> 16) - 127
