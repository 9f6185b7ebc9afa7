"""Pickles whose every name is allowed, put together in ways that no pickler does."""

import bz2
import gzip
import lzma
import pickle
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from app.errors import BrokenModel
from app.unpickling import unpickled
from tests.support.pickles import Calls, ahead, dtype, dumped, forged, named, ready, short, state
from tests.unpickling.refusals import assert_refused

MEGABYTE = 1 << 20
REGRESSION = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])

KIND = named("sklearn.linear_model._base", "LinearRegression")
MADE = KIND + b")\x81"
ARRAY = (
    named("numpy._core.multiarray", "_reconstruct")
    + named("numpy", "ndarray")
    + b"K\x00\x85C\x01b\x87R"
)
ADD = named("numpy", "add")

CONTENT = b"(K\x01K\x01\x85" + dtype("f8") + b"\x89C\x08aaaaaaaat"

BUILDS = {
    "a class by its attributes": (KIND + b"}" + state(predict=ADD) + b"\x86b", "did not make"),
    "a class": (KIND + state(predict=ADD) + b"b", "did not make"),
    "a function": (ADD + state(a=b"N") + b"b", "did not make"),
    "a list": (b"]" + state(a=b"N") + b"b", "did not make"),
    "an instance twice": (MADE + ready() + b"b" + ready() + b"b", "did not make"),
    "an array twice": (ARRAY + CONTENT + b"b" + CONTENT + b"b", "did not make"),
    "dunders": (MADE + state(__class__=KIND) + b"b", "__class__"),
    "slots": (MADE + b"N" + state(predict=ADD) + b"\x86b", "."),
    "a maker": (named("numpy", "dtype") + state(make=ADD) + b"b", "did not make"),
    "items of an instance": (MADE + short("a") + b"Ns", "no list, dict or set"),
    "append to an instance": (MADE + b"Na", "no list, dict or set"),
    "extend a class": (KIND + b"(Ne", "no list, dict or set"),
    "arguments of an instance": (KIND + b"N\x85\x81", "with arguments"),
    "keywords of an instance": (KIND + b")}\x92", "instruction"),
    "an instance of a number": (named("numpy", "float64") + b")\x81", "must not be made"),
    "an instance of a function": (ADD + b")\x81", "must not be made"),
    "an instance of a text": (short("a") + b")\x81", "must not be made"),
    "a call of a class": (KIND + b")R", "must not be called"),
    "a call of an instance": (MADE + b")R", "must not be called"),
    "a call of a number's type": (named("numpy", "float64") + b"K\x01\x85R", "must not be called"),
    "a call with a list": (named("builtins", "slice") + b"]R", "damaged"),
    "a slice of more": (named("builtins", "slice") + short("a") + b"NN\x87R", "slice"),
    "an abstract compiled class": (named("sklearn.neighbors._kd_tree", "BinaryTree64"), "needs"),
}


@pytest.mark.parametrize(("data", "says"), BUILDS.values(), ids=BUILDS)
def test_nothing_is_filled_or_called_but_what_was_made_just_now(data: bytes, says: str) -> None:
    before = dict(vars(LinearRegression))

    with pytest.raises(Exception, match=says):
        unpickled(b"\x80\x04" + data + b".")

    assert dict(vars(LinearRegression)) == before


HUGE = b"\x8a\x07" + bytes(6) + b"\x40\x85"

FROM_BUFFER = named("numpy._core.numeric", "_frombuffer")
SCALAR = named("numpy._core.multiarray", "scalar")
EMPTY = named("numpy._core.multiarray", "_reconstruct") + named("numpy", "ndarray")
ONE = b"K\x01\x85"
FIELD = state(a=dtype("O8") + b"K\x00\x86")

NAME, NUMBER = short("a") + b"\x85", state(a=forged("f8", 0) + b"K\x00\x86")

ARRAYS = {
    "objects without their flag": ahead(forged("O8", 0), ONE) + bytes(8),
    "objects in a field": forged("V8", 0, short("a") + b"\x85", FIELD),
    "fields within fields": ahead(
        forged("V8", 0, NAME, state(a=forged("V8", 0, NAME, NUMBER) + b"K\x00\x86")), ONE
    )
    + bytes(8),
    "more than there is": ahead(dtype("f8"), HUGE),
    "fewer than nothing": ahead(dtype("f8"), b"J\xff\xff\xff\xff\x85"),
    "a shape of another kind": ahead(dtype("f8"), short("a") + b"\x85"),
    "a subclass": ahead(dtype("f8"), ONE, named("numpy", "float64")) + bytes(8),
    "a type of another kind": ahead(short("f8"), ONE) + bytes(8),
    "elements of no size": ahead(forged("V8", 0, b")", b"}"), ONE),
    "an order of another kind": ahead(dtype("f8"), ONE, order=short("A")) + bytes(8),
    "a type by its name": dtype("float64"),
    "a type with a comma": dtype("f8,O8"),
    "objects without a size": dtype("O"),
    "dates": dtype("M8"),
    "a buffer of objects": FROM_BUFFER + b"(C\x08aaaaaaaa" + dtype("O8") + ONE + short("C") + b"tR",
    "a number of objects": SCALAR + dtype("O8") + b"C\x08aaaaaaaa\x86R",
    "a number of another size": SCALAR + dtype("f8") + b"C\x01a\x86R",
    "an empty array of a large shape": EMPTY + HUGE + b"C\x01b\x87R",
    "content of another size": ARRAY + b"(K\x01K\x02\x85" + dtype("f8") + b"\x89C\x08aaaaaaaatb",
    "objects as bytes": ARRAY + b"(K\x01K\x01\x85" + dtype("O8") + b"\x89C\x08aaaaaaaatb",
    "fewer objects": ARRAY + b"(K\x01K\x02\x85" + dtype("O8") + b"\x89](NetbR",
}


@pytest.mark.parametrize("data", ARRAYS.values(), ids=ARRAYS)
def test_forged_arrays_are_refused_before_they_take_memory(data: bytes) -> None:
    with pytest.raises(Exception, match=r".") as caught:
        unpickled(b"\x80\x04" + data + b".")

    assert not isinstance(caught.value, MemoryError)


def test_an_array_of_objects_within_another_cannot_go_on_for_ever() -> None:
    one = ahead(dtype("O8"), b"K\x01\x85")

    assert_refused(b"\x80\x04" + (one + b"\x80\x05") * 10_000, "within another")


DOUBLED = b"q\x01h\x01\x86"
"""A pair of what is on top, twice."""

HASHED = {
    "a tuple in a tuple": b"}N" + b"\x85" * 200_000 + b"Ns",
    "a tuple that doubles": b"}N" + DOUBLED * 60 + b"Ns",
    "one of several": b"}" + b"(K\x01NN\x85\x85Nu",
    "in a set": b"\x8f(N\x85\x85\x90",
    "in a frozen set": b"(N\x85\x85\x91",
    "integers of one hash": b"\x8f(\x8a\x08" + (2**61 - 1).to_bytes(8, "little") + b"\x90",
    "complex numbers of one hash": b"\x8f("
    + SCALAR
    + dtype("c16")
    + b"C\x10"
    + bytes(16)
    + b"\x86R\x90",
    "floats that are infinite as doubles": b"\x8f("
    + SCALAR
    + dtype("f16")
    + b"C\x10"
    + bytes(16)
    + b"\x86R\x90",
    "a pair of integers": b"}K\x01K\x02\x86Ns",
    "a list": b"}]Ns",
}


@pytest.mark.parametrize("data", HASHED.values(), ids=HASHED)
def test_what_takes_long_to_hash_is_no_key(data: bytes) -> None:
    assert_refused(b"\x80\x04" + data + b".", "for a key")


def test_what_takes_long_to_show_is_not_shown() -> None:
    made = named("numpy", "dtype") + b"K\x01" + DOUBLED * 60 + b"\x89\x88\x87R"

    assert_refused(b"\x80\x04" + made + b".", "arrays of what is no text")
    assert_refused(b"\x80\x04" + MADE + b"}" + b"K\x01Nsb.", "with a int")


def test_a_state_is_a_dict_and_nothing_that_passes_for_one() -> None:
    bunch = named("sklearn.utils._bunch", "Bunch") + b")\x81" + short("coef_") + b"Ns"

    assert_refused(b"\x80\x04" + MADE + bunch + b"b.", "coef_")


def test_arrays_of_objects_in_one_another_end_soon() -> None:
    def within(levels: int) -> np.ndarray:
        array = np.array([None], dtype=object)
        for _ in range(levels):
            outer = np.empty(1, dtype=object)
            outer[0] = array
            array = outer
        return array

    assert unpickled(pickle.dumps(within(7), 4)) is not None
    assert_refused(pickle.dumps(within(8), 4), "NumPy did not write")


def test_a_distance_is_filled_before_its_tree() -> None:
    """Else the tree would be checked by a distance that becomes another."""
    kinds = {"sklearn.metrics._dist_metrics": "MinkowskiDistance64"}
    kinds["sklearn.neighbors._ball_tree"] = "BallTree64"
    distance, tree = (
        named(module, "newObj") + named(module, name) + b"\x85R" for module, name in kinds.items()
    )

    assert_refused(
        b"\x80\x04" + tree + distance + b"\x85b.", "with a MinkowskiDistance64 too early"
    )


BOMBS = {
    "zlib": lambda data: zlib.compress(data, 9),
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
}


@pytest.mark.parametrize("pack", BOMBS.values(), ids=BOMBS)
def test_a_compressed_file_is_inflated_up_to_the_limit_only(pack: Callable[[bytes], bytes]) -> None:
    packed = pack(bytes(64 * MEGABYTE))
    assert len(packed) < MEGABYTE

    with pytest.raises(BrokenModel, match=f"more than {MEGABYTE} bytes when it is unpacked"):
        unpickled(packed, MEGABYTE)


def test_a_file_of_just_the_limit_is_read_and_one_byte_more_is_not() -> None:
    data = dumped(REGRESSION)

    for whole in (data, zlib.compress(data)):
        assert isinstance(unpickled(whole, len(data)), LinearRegression)
        with pytest.raises(BrokenModel, match="bytes when it is unpacked"):
            unpickled(whole, len(data) - 1)


@pytest.mark.parametrize("pack", BOMBS.values(), ids=BOMBS)
def test_a_compressed_file_that_was_cut_is_refused(pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BrokenModel, match="ends too early"):
        unpickled(pack(dumped(REGRESSION))[:-12])


@pytest.mark.parametrize("code", [b"\x8e", b"\x8d", b"\x96", b"\x8b", b"B", b"X"])
def test_a_length_beyond_the_end_takes_no_memory(code: bytes) -> None:
    length = struct.pack("<Q" if code in b"\x8e\x8d\x96" else "<I", (1 << 31) - 1)

    assert_refused(b"\x80\x04" + code + length + b"a.", "ends too early")


def test_every_file_that_was_cut_or_changed_is_refused_or_harmless(canary: str) -> None:
    """A thousand changes of a byte: nothing but an error of ours or of Python, and no payload."""
    data = dumped(Calls(exec, f"open({canary!r}, 'w').close()")) + dumped(REGRESSION)
    draw, refused = np.random.default_rng(0), 0

    for _ in range(1000):
        changed = bytearray(data)
        changed[draw.integers(len(data))] = draw.integers(256)
        try:
            unpickled(bytes(changed))
        except Exception:  # noqa: BLE001 - what matters is that nothing ran
            refused += 1
        assert not Path(canary).exists()

    assert refused > 900
