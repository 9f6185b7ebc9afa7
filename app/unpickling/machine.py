"""What pickle instructions work on: a stack, a memo, and objects that are made and filled."""

from collections.abc import Callable
from typing import Any

import numpy as np

from app.errors import BrokenModel
from app.unpickling.allowed import Maker, find, is_creatable
from app.unpickling.arrays import (
    ArrayAhead,
    MaskedAhead,
    build_array,
    build_dtype,
    is_array,
    is_dtype,
)
from app.unpickling.makers import CheckAhead
from app.unpickling.source import Source
from app.unpickling.states import check_state

MARK = object()

_LARGEST_KEY = 1 << 60
"""Up to it integers have different hashes."""

_DOUBLE = 8
"""Bytes of a float64."""

_KEYS = str | float | bytes | bool | np.bool_ | np.integer | np.str_ | np.bytes_ | None


class Machine:
    """The state of one pickle that is being read. What it may make, `allowed` says.

    Args:
        source: where its instructions and the bytes of its arrays come from.
        inner: reads an array of objects, for which joblib writes a pickle of its own in the middle
            of the first; None in there, where no further one may begin.
    """

    def __init__(self, source: Source, inner: Callable[[Source], Any] | None) -> None:
        self.source = source
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self._inner = inner
        self._unbuilt: dict[int, Any] = {}
        self._hollow: dict[int, Any] = {}
        self._places: dict[int, int] = {}

    # ---- the stack ---------------------------------------------------------------------------

    def pop(self) -> Any:
        """The topmost value. A mark is none."""
        value = self.stack.pop()
        if value is MARK:
            raise BrokenModel("it is damaged")
        return value

    def push(self, value: Any) -> None:
        """Put a value on top."""
        self.stack.append(value)

    def pop_to_mark(self) -> list[Any]:
        """All values above the last mark, which goes as well."""
        at = len(self.stack) - 1
        while self.stack[at] is not MARK:
            at -= 1
            if at < 0:
                raise BrokenModel("it is damaged")
        values = self.stack[at + 1 :]
        del self.stack[at:]
        return values

    def top(self, kind: type) -> Any:
        """The topmost value, which must be a list, a dict or a set."""
        if not isinstance(self.stack[-1], kind):
            raise BrokenModel("it fills something that is no list, dict or set")
        return self.stack[-1]

    def key(self, value: Any) -> Any:
        """The value, if it may be a key of the topmost one.

        Keys of a Bunch are its attributes, and one that gives an address would be followed by the
        first array that is made of it, which may be while others are filled.
        """
        special = type(value) is not str or value.startswith("__")
        if type(self.stack[-1]) is not dict and special:
            raise BrokenModel("it has an attribute as no estimator does")
        return hashable(value)

    # ---- what makes objects ------------------------------------------------------------------

    def result(self) -> Any:
        """What the pickle has made, all of it filled: compiled code would trip over what is not."""
        for instance in self._hollow.values():
            raise BrokenModel(f"it makes {_kind(instance)} and never fills it")
        return self.pop()

    def take_global(self, module: str, name: str) -> None:
        """Push what is called this, if it is on the list."""
        found = find(module, name)
        if found is ArrayAhead and self._inner is None:
            raise BrokenModel("it has an array of objects within another")
        self.push(found)

    def call(self) -> None:
        """REDUCE: have a maker make something."""
        arguments = self.pop()
        maker = self.pop()
        if type(maker) is not Maker:
            raise BrokenModel(f"it calls {_kind(maker)}, which must not be called")
        self._make(maker, arguments)

    def create(self) -> None:
        """NEWOBJ: an empty instance of a class on the list, or a tuple that has a class."""
        arguments = self.pop()
        kind = self.pop()
        if type(kind) is Maker:
            self._make(kind, arguments)
            return
        if not is_creatable(kind):
            raise BrokenModel(f"it makes {_kind(kind)}, which must not be made")
        if arguments != ():
            raise BrokenModel(f"it makes {_kind(kind)} with arguments")
        made = kind.__new__(kind)
        self._unbuilt[id(made)] = made
        self.push(made)

    def _make(self, maker: Maker, arguments: Any) -> None:
        if type(arguments) is not tuple:
            raise BrokenModel("it is damaged")
        made = maker.make(*arguments)
        if maker.stateful:
            self._unbuilt[id(made)] = made
            if not maker.complete:
                self._hollow[id(made)] = made
        self.push(made)

    def build(self) -> None:
        """BUILD: fill an instance that was made just now, once."""
        state = self.pop()
        instance = self.pop()
        # Nothing else may be filled: not a class, and nothing that others rely on already.
        if self._unbuilt.pop(id(instance), None) is not instance:
            raise BrokenModel(f"it fills {_kind(instance)}, which it did not make just now")
        self._hollow.pop(id(instance), None)
        if isinstance(state, tuple | list):  # of which compiled parts are checked by what is there
            for each in state:
                if id(each) in self._hollow and not is_dtype(each):
                    raise BrokenModel(f"it fills {_kind(instance)} with {_kind(each)} too early")
        built = self._built(instance, state)
        if (place := self._places.pop(id(instance), None)) is not None:
            self.memo[place] = built
        self.push(built)

    def remember(self, place: int) -> None:
        """Put the topmost value into the memo."""
        self.memo[place] = value = self.stack[-1]
        if id(value) in self._unbuilt:
            self._places[id(value)] = place

    def _built(self, instance: Any, state: Any) -> Any:
        """What an instance becomes with its state: itself, or what it stood for."""
        if isinstance(instance, ArrayAhead) and self._inner is not None:
            return instance.read(state, self.source, self._inner)
        if isinstance(instance, MaskedAhead | CheckAhead):
            return instance.read(state)
        if is_dtype(instance):
            return build_dtype(instance, state)
        if is_array(instance):
            return build_array(state)
        return _filled(instance, state)


def hashable(value: Any) -> Any:
    """A value that may be the key of a dict, or in a set: a scalar of NumPy or Python.

    Others are hashed by recursion in C, or can be chosen to have the same hash: integers beyond
    60 bits, complex numbers, floats that become infinite as doubles, and what has several parts.
    """
    if type(value) is int:
        known = abs(value) < _LARGEST_KEY
    elif isinstance(value, np.floating):
        known = value.itemsize <= _DOUBLE
    else:
        known = isinstance(value, _KEYS)
    if not known:
        raise BrokenModel(f"it has {_kind(value)} for a key")
    return value


def _filled(instance: Any, state: Any) -> Any:
    if isinstance(state, dict):
        for key in state:
            if type(state) is not dict or type(key) is not str or key.startswith("__"):
                shown = f"{key!a:.80}" if type(key) is str else _kind(key)
                raise BrokenModel(f"it fills {_kind(instance)} with {shown}")
    check_state(instance, state)
    if hasattr(type(instance), "__setstate__"):
        instance.__setstate__(state)
    elif type(state) is dict:
        vars(instance).update(state)
    else:
        raise BrokenModel(f"it fills {_kind(instance)} with {_kind(state)}")
    return instance


def _kind(value: Any) -> str:
    """What something is, for a message."""
    if isinstance(value, type):
        return f"the class {value.__module__}.{value.__qualname__}"
    return f"a {type(value).__name__}"
