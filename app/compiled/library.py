"""The compiled library: what it is made of, where it is, and its functions."""

import ctypes
import hashlib
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

SOURCES = (HERE / "rows.c", HERE / "buckets.c")

FLAGS = (
    *("-std=gnu11", "-O3", "-fPIC", "-shared", "-fvisibility=default"),
    "-ffp-contract=off",  # no sum of a product is rounded once instead of twice
    *("-fstack-protector-strong", "-D_FORTIFY_SOURCE=2"),
)

FIRST_POWER, LAST_POWER = -100, 100
"""Powers of ten that numbers are scaled by; what is farther from 1 is left to Python."""


class Layout(ctypes.Structure):
    """``struct plan`` of the source."""

    _fields_ = (
        ("features", ctypes.c_int64),
        ("words", ctypes.c_int64),
        ("mask", ctypes.c_int64),
        ("largest", ctypes.c_double),
        ("kinds", ctypes.c_void_p),
        ("missing", ctypes.c_void_p),
        ("text", ctypes.c_void_p),
        ("starts", ctypes.c_void_p),
        ("lengths", ctypes.c_void_p),
        ("owners", ctypes.c_void_p),
        ("codes", ctypes.c_void_p),
        ("slots", ctypes.c_void_p),
        ("terms", ctypes.c_void_p),
    )


class TokenBuckets(ctypes.Structure):
    """``struct buckets`` of the other source."""

    _fields_ = (
        ("words", ctypes.c_void_p),
        ("groups", ctypes.c_int64),
        ("numerator", ctypes.c_int64),
        ("denominator", ctypes.c_int64),
        ("interval", ctypes.c_int64),
        ("most", ctypes.c_int64),
        ("start", ctypes.c_int64),
    )


class Terms(ctypes.Structure):
    """``struct terms`` of the source."""

    _fields_ = (
        ("intercept", ctypes.c_double),
        ("factors", ctypes.c_void_p),
        ("missing", ctypes.c_void_p),
        ("firsts", ctypes.c_void_p),
        ("contributions", ctypes.c_void_p),
    )


@dataclass(frozen=True, slots=True)
class Library:
    """The functions of the library.

    Attributes:
        index_words: plan -> None.
        brief: decode_rows and answer_rows, for what takes microseconds: other threads of this
            process wait.
        long: the same for what takes longer: other threads go on.
        tokens: take_tokens, take_tokens_at and nanoseconds_now.
    """

    index_words: Any
    brief: tuple[Any, Any]
    long: tuple[Any, Any]
    tokens: tuple[Any, Any, Any]


def powers() -> str:
    """The header with the powers of ten: 128 bits of each, cut off, the highest bit set."""
    rows = []
    for exponent in range(FIRST_POWER, LAST_POWER + 1):
        high, low = divmod(power(exponent)[0], 1 << 64)
        rows.append(f"    {{{high:#018x}u, {low:#018x}u}},\n")
    return (
        f"enum {{ POWERS_FIRST = {FIRST_POWER}, POWERS_LAST = {LAST_POWER} }};\n"
        f"static const uint64_t POWERS[][2] = {{\n{''.join(rows)}}};\n"
    )


def power(exponent: int) -> tuple[int, int]:
    """(T, s) with 10^exponent in [T, T + 1) * 2^s and T of 128 bits."""
    numerator, denominator = 10 ** max(exponent, 0), 10 ** max(-exponent, 0)
    shift = numerator.bit_length() - denominator.bit_length() - 128
    while True:  # the first guess may be one too low
        found = (numerator << max(-shift, 0)) // (denominator << max(shift, 0))
        if found.bit_length() <= 128:
            return found, shift
        shift += 1


def path() -> Path:
    """Where the library is, if it was built from this source for this machine."""
    made_of = "\0".join([*(each.read_text("utf-8") for each in SOURCES), powers(), *FLAGS])
    digest = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    machine = f"{platform.system()}-{platform.machine()}".lower()
    return HERE / f"rows-{digest}-{machine}.so"


@cache
def library() -> Library | None:
    """The library, loaded; None where it was not built, or cannot be loaded here."""
    return load(path())


def load(file: Path) -> Library | None:
    """Load a library; None where there is none that this process can use."""
    try:
        holding, releasing = ctypes.PyDLL(str(file)), ctypes.CDLL(str(file))
    except OSError:
        return None
    holding.index_words.restype = None
    holding.index_words.argtypes = (ctypes.c_void_p,)
    # No types of arguments here either: `app.quotas.buckets` alone calls them.
    tokens = holding.take_tokens, holding.take_tokens_at, holding.nanoseconds_now
    for each in tokens:
        each.restype = ctypes.c_int64
    return Library(holding.index_words, _functions(holding), _functions(releasing), tokens)


def _functions(loaded: ctypes.CDLL) -> tuple[Any, Any]:
    # No types of arguments: `app.compiled.plan` alone calls them, and checking takes half the time.
    for each in (loaded.decode_rows, loaded.answer_rows):
        each.restype = ctypes.c_int32
    return loaded.decode_rows, loaded.answer_rows
