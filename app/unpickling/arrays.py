"""NumPy's arrays and their types, made from checked parts.

A type whose flags are forged could pass off bytes as pointers to objects, so types are never given
a state: they are made by NumPy's public constructor, from their parts.
"""

import re
from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import numpy as np

from app.errors import BrokenModel
from app.unpickling.source import Source

_TYPE = re.compile(r"[biufc][0-9]{1,2}|O8|[USV][1-9][0-9]{0,4}")

_MOST_NESTED = 8
"""Arrays of objects in one another; NumPy frees them by recursion in C."""


class ArrayAhead:
    """Stands for an array whose bytes come right after it, as joblib writes them."""

    def read(self, state: Any, source: Source, inner: Callable[[Source], Any]) -> Any:
        """The array. `inner` reads the pickle that stands in place of the bytes of objects."""
        shape, dtype = _shape(state["shape"]), state["dtype"]
        if state["subclass"] is not np.ndarray or not is_dtype(dtype):
            raise _broken()
        if dtype.hasobject:
            array = inner(source)
            if type(array) is not np.ndarray or array.shape != shape:
                raise _broken()
            return array
        if state.get("numpy_array_alignment_bytes") is not None:
            source.take(source.take(1)[0])
        size = prod(shape)
        data = source.view(size * dtype.itemsize)
        return _native(_shaped(data, dtype, shape, state["order"]))


def is_dtype(value: Any) -> bool:
    """Whether this is the type of an array's elements."""
    return isinstance(value, np.dtype)


def is_array(value: Any) -> bool:
    """Whether this is an array."""
    return type(value) is np.ndarray


def make_dtype(code: Any, align: Any = False, copy: Any = True) -> Any:
    """`numpy.dtype`: an own copy of a plain type, such as f8, whose byte order is still to come."""
    if type(code) is not str or not _TYPE.fullmatch(code) or (align, copy) != (False, True):
        what = f"{code!a:.40}" if type(code) is str else "what is no text"
        raise BrokenModel(f"it has arrays of {what}, which no fitted estimator has")
    return np.dtype(code, copy=True)


def build_dtype(dtype: Any, state: Any) -> Any:
    """A type with the byte order or the fields that a state says."""
    _version, order, inner, names, fields = state[:5]
    if inner is not None or order not in ("<", ">", "|", "="):
        raise _broken()
    if names is None:
        return dtype.newbyteorder(order) if order in "<>" else dtype
    formats, offsets = zip(*(fields[name][:2] for name in names), strict=True)
    # Fields within fields would be gone through by recursion in C.
    if not all(is_dtype(each) and not each.hasobject and not each.names for each in formats):
        raise _broken()
    spec: Any = {
        "names": list(names),
        "formats": list(formats),
        "offsets": list(offsets),
        "itemsize": dtype.itemsize,
    }
    return np.dtype(spec)


def make_empty(kind: Any, shape: Any, _code: Any) -> Any:
    """`numpy._core.multiarray._reconstruct`: an array whose content is still to come."""
    if kind is not np.ndarray or shape != (0,):
        raise _broken()
    return np.empty(0, np.int8)


def build_array(state: Any) -> Any:
    """An array with the content that a state says."""
    _version, shape, dtype, by_columns, content = state
    shape = _shape(shape)
    if not is_dtype(dtype):
        raise _broken()
    order = "F" if by_columns else "C"
    if not dtype.hasobject:
        return _shaped(content, dtype, shape, order)
    if type(content) is not list or len(content) != prod(shape) or dtype.fields:
        raise _broken()
    _check_depth(content)
    array = np.empty(len(content), np.dtype(object))
    for place, value in enumerate(content):  # one by one: a list of lists is no matrix here
        array[place] = value
    return array.reshape(shape, order=order)  # type: ignore[call-overload]


def _check_depth(content: Iterable[Any]) -> None:
    within = content
    for _ in range(_MOST_NESTED):
        arrays = {id(each): each for each in within if is_array(each) and each.dtype.hasobject}
        if not arrays:
            return
        within = (each for array in arrays.values() for each in array.flat)
    raise _broken()


class MaskedAhead:
    """Stands for a masked array whose content is still to come."""

    def read(self, state: Any) -> Any:
        """The array with the content that a state says."""
        _version, shape, dtype, by_columns, content, mask, fill = state
        array = build_array((1, shape, dtype, by_columns, content))
        hidden = _shaped(mask, np.dtype(bool), array.shape, "F" if by_columns else "C")
        return np.ma.MaskedArray(array, hidden, fill_value=fill)


def make_masked(kind: Any, base: Any, shape: Any, _code: Any) -> MaskedAhead:
    """`numpy.ma.core._mareconstruct`: a masked array whose content is still to come."""
    if kind is not np.ma.MaskedArray or base is not np.ndarray or shape != (0,):
        raise _broken()
    return MaskedAhead()


def make_scalar(dtype: Any, data: Any) -> Any:
    """`numpy._core.multiarray.scalar`: one number."""
    if not is_dtype(dtype) or dtype.hasobject or type(data) is not bytes:
        raise _broken()
    return _shaped(data, dtype, (), "C")[()]


def make_from_buffer(data: Any, dtype: Any, shape: Any, order: Any, axes: Any = None) -> Any:
    """`numpy._core.numeric._frombuffer`: an array of these bytes."""
    if not is_dtype(dtype) or dtype.hasobject or axes is not None:
        raise _broken()
    return _shaped(data, dtype, _shape(shape), order)


def _shape(shape: Any) -> tuple[int, ...]:
    if type(shape) is not tuple or any(type(n) is not int or n < 0 for n in shape):
        raise _broken()
    return shape


def _shaped(data: Any, dtype: Any, shape: tuple[int, ...], order: Any) -> Any:
    """An array of its own memory; exactly as many bytes as it needs must be there."""
    if type(data) not in (bytes, bytearray, memoryview) or order not in ("C", "F"):
        raise _broken()
    if not dtype.itemsize or len(data) != prod(shape) * dtype.itemsize:
        raise _broken()
    flat = np.frombuffer(data, dtype).copy() if len(data) else np.empty(0, dtype)
    return flat.reshape(shape, order=order)


def _native(array: Any) -> Any:
    """The same numbers in this machine's byte order."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _broken() -> BrokenModel:
    return BrokenModel("it has an array that NumPy did not write")
