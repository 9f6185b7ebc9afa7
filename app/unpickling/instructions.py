"""The pickle instructions that fitted estimators are written with, protocols 2 to 5, and no others.

Left out are those of older protocols, of persistent ids, of buffers that come from elsewhere, and
of the extension registry, by which a number would stand for a name.
"""

import struct
from collections.abc import Callable
from typing import Any

from app.errors import BrokenModel
from app.unpickling.machine import MARK, Machine, hashable
from app.unpickling.source import Source

Step = Callable[[Machine], None]

MAX_PROTOCOL = 5


class _End(Exception):
    """The last instruction was reached."""


def read(source: Source) -> Any:
    """The object that a pickle makes. Raises BrokenModel, and anything where it is damaged."""
    return _run(Machine(source, lambda rest: _run(Machine(rest, None))))


def _run(machine: Machine) -> Any:
    try:
        while True:
            code = machine.source.take(1)
            step = _STEPS.get(code)
            if step is None:
                raise BrokenModel(
                    f"it has the instruction {code!a}, which no fitted estimator needs"
                )
            step(machine)
    except _End:
        return machine.result()


def _unpacked(form: str) -> Callable[[Machine], Any]:
    packer = struct.Struct(form)

    def read(machine: Machine) -> Any:
        return packer.unpack(machine.source.take(packer.size))[0]

    return read


_u1, _u2, _u4, _u8 = map(_unpacked, ("<B", "<H", "<I", "<Q"))
_i4, _f8 = map(_unpacked, ("<i", ">d"))


def _value(read: Callable[[Machine], Any]) -> Step:
    return lambda machine: machine.push(read(machine))


def _constant(value: Any) -> Step:
    return lambda machine: machine.push(value)


def _counted(size: Callable[[Machine], int], made: Callable[[bytes], Any]) -> Step:
    return lambda machine: machine.push(made(machine.source.take(size(machine))))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _integer(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


def _protocol(machine: Machine) -> None:
    if _u1(machine) > MAX_PROTOCOL:
        raise BrokenModel("it has a protocol that is not known here")


def _frame(machine: Machine) -> None:
    """Its length matters to those alone who read from a pipe."""
    machine.source.take(8)


def _pop(machine: Machine) -> None:
    machine.stack.pop()


def _pop_mark(machine: Machine) -> None:
    machine.pop_to_mark()


def _stop(_: Machine) -> None:
    raise _End


def _tuple_of(count: int) -> Step:
    def step(machine: Machine) -> None:
        machine.push(tuple([machine.pop() for _ in range(count)][::-1]))

    return step


def _append(machine: Machine) -> None:
    value = machine.pop()
    list.append(machine.top(list), value)


def _appends(machine: Machine) -> None:
    values = machine.pop_to_mark()
    list.extend(machine.top(list), values)


def _set_item(machine: Machine) -> None:
    value, key = machine.pop(), machine.pop()
    dict.__setitem__(machine.top(dict), machine.key(key), value)


def _set_items(machine: Machine) -> None:
    values = machine.pop_to_mark()
    keys = map(machine.key, values[::2])
    dict.update(machine.top(dict), zip(keys, values[1::2], strict=True))


def _add_items(machine: Machine) -> None:
    values = machine.pop_to_mark()
    set.update(machine.top(set), map(hashable, values))


def _freeze_set(machine: Machine) -> None:
    machine.push(frozenset(map(hashable, machine.pop_to_mark())))


def _remember(number: Callable[[Machine], int]) -> Step:
    return lambda machine: machine.remember(number(machine))


def _recall(number: Callable[[Machine], int]) -> Step:
    return lambda machine: machine.push(machine.memo[number(machine)])


def _stack_global(machine: Machine) -> None:
    name, module = machine.pop(), machine.pop()
    machine.take_global(module, name)


def _global(machine: Machine) -> None:
    machine.take_global(machine.source.line(), machine.source.line())


_STEPS: dict[bytes, Step] = {
    b"\x80": _protocol,
    b"\x95": _frame,
    b".": _stop,
    b"(": _constant(MARK),
    b"0": _pop,
    b"1": _pop_mark,
    b"N": _constant(None),
    b"\x88": _constant(True),
    b"\x89": _constant(False),
    b"J": _value(_i4),
    b"K": _value(_u1),
    b"M": _value(_u2),
    b"G": _value(_f8),
    b"\x8a": _counted(_u1, _integer),
    b"\x8b": _counted(_u4, _integer),
    b"C": _counted(_u1, bytes),
    b"B": _counted(_u4, bytes),
    b"\x8e": _counted(_u8, bytes),
    b"\x96": _counted(_u8, bytearray),
    b"\x8c": _counted(_u1, _text),
    b"X": _counted(_u4, _text),
    b"\x8d": _counted(_u8, _text),
    b"]": lambda machine: machine.push([]),
    b"a": _append,
    b"e": _appends,
    b")": _constant(()),
    b"\x85": _tuple_of(1),
    b"\x86": _tuple_of(2),
    b"\x87": _tuple_of(3),
    b"t": lambda machine: machine.push(tuple(machine.pop_to_mark())),
    b"}": lambda machine: machine.push({}),
    b"s": _set_item,
    b"u": _set_items,
    b"\x8f": lambda machine: machine.push(set()),
    b"\x90": _add_items,
    b"\x91": _freeze_set,
    b"q": _remember(_u1),
    b"r": _remember(_u4),
    b"\x94": _remember(lambda machine: len(machine.memo)),
    b"h": _recall(_u1),
    b"j": _recall(_u4),
    b"\x93": _stack_global,
    b"c": _global,
    b"R": Machine.call,
    b"\x81": Machine.create,
    b"b": Machine.build,
}
