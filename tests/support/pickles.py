"""Pickles written by hand, one instruction after the other."""

import io
from typing import Any

import joblib
import sklearn


class Calls:
    """Pickled, it is the call of a function with these arguments."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def short(text: str) -> bytes:
    """A text as protocol 4 pushes it."""
    data = text.encode()
    return b"\x8c" + bytes([len(data)]) + data


def named(module: str, name: str) -> bytes:
    """Push what is called this."""
    return short(module) + short(name) + b"\x93"


def called(module: str, name: str, *arguments: str) -> bytes:
    """A whole pickle that calls a function with texts."""
    pushed = b"".join(map(short, arguments))
    return b"\x80\x04" + named(module, name) + b"(" + pushed + b"tR."


def dumped(value: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(value, file, **options)
    return file.getvalue()


def dtype(code: str) -> bytes:
    return named("numpy", "dtype") + short(code) + b"\x89\x88\x87R"


def forged(code: str, flags: int, names: bytes = b"N", fields: bytes = b"N") -> bytes:
    """A type of NumPy with a state of one's own."""
    return (
        dtype(code)
        + b"(K\x03"
        + short("|")
        + b"N"
        + names
        + fields
        + b"K\x08K\x08"
        + b"K"
        + bytes([flags])
        + b"tb"
    )


def ahead(
    kind: bytes, shape: bytes, subclass: bytes = named("numpy", "ndarray"), **more: bytes
) -> bytes:
    """An array as joblib writes it, without its bytes."""
    parts = {
        "subclass": subclass,
        "shape": shape,
        "order": short("C"),
        "dtype": kind,
        "allow_mmap": b"\x88",
    }
    return (
        named("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81" + state(**parts | more) + b"b"
    )


def state(**values: bytes) -> bytes:
    """Push a dict."""
    return b"}(" + b"".join(short(key) + value for key, value in values.items()) + b"u"


def ready(**values: bytes) -> bytes:
    """Push what an estimator of this release of scikit-learn is filled with."""
    return state(_sklearn_version=short(sklearn.__version__), **values)
