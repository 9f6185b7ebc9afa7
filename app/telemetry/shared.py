"""Numbers that several processes add to, without files and without locks between them.

The memory is mapped before the processes fork, so all of them see it, and it goes when the last of
them goes. Each process has a slot that it alone writes; everybody reads all of them. A slot holds
a directory that only grows, in words of 8 bytes::

    word 0        how many words are complete; moved last, so that a kill -9 leaves no torn entry
    word 1        whether a process has the slot
    each entry    length of its key in bytes + (number of its values << 32)
                  the key, filled up to whole words
                  the values, float64: one aligned store each, whole for every reader

A process that takes over a slot finds what its predecessor counted and counts on.
"""

import mmap
from collections.abc import Iterator
from threading import Lock

WORD = 8
SLOT_WORDS = 1 << 15
"""256 KiB a slot: about 2,500 counters. Only pages in use cost memory."""

_USED, _TAKEN, _FIRST = 0, 1, 2
_LENGTH_BITS = 32


class Slot:
    """The part of the memory that one process writes.

    Attributes:
        values: all words as float64; `reserve` says which are whose.
        lock: to be held around every change of `values`, for the threads of this process.
    """

    def __init__(self, memory: memoryview) -> None:
        self.values = memory.cast("d")
        self.lock = Lock()
        self._bytes = memory
        self._words = memory.cast("Q")
        self._places = {key: first for key, first, _ in entries(memory)}

    def reserve(self, key: bytes, count: int) -> int | None:
        """Find or make `count` values for `key`: the index of the first; None when full."""
        with self.lock:
            place = self._places.get(key)
            if place is None and (place := self._append(key, count)) is not None:
                self._places[key] = place
        return place

    def _append(self, key: bytes, count: int) -> int | None:
        start = max(self._words[_USED], _FIRST)
        first = start + 1 + _key_words(len(key))
        if first + count > len(self._words):
            return None
        self._words[start] = len(key) | count << _LENGTH_BITS
        self._bytes[(start + 1) * WORD : (start + 1) * WORD + len(key)] = key
        self.values[first : first + count] = memoryview(bytes(count * WORD)).cast("d")
        self._words[_USED] = first + count
        return first


def entries(memory: memoryview) -> Iterator[tuple[bytes, int, int]]:
    """Walk over a slot's directory: key, index of its first value, number of values."""
    words = memory.cast("Q")
    position, end = _FIRST, words[_USED]
    while position < end and (head := words[position]):
        length, count = head & ((1 << _LENGTH_BITS) - 1), head >> _LENGTH_BITS
        begin = (position + 1) * WORD
        first = position + 1 + _key_words(length)
        yield bytes(memory[begin : begin + length]), first, count
        position = first + count


def _key_words(length: int) -> int:
    return -(-length // WORD)


class SharedSlots:
    """The memory as a whole: slot 0 for the process that made it, the others for its workers."""

    def __init__(self, count: int) -> None:
        memory = memoryview(mmap.mmap(-1, count * SLOT_WORDS * WORD))
        size = SLOT_WORDS * WORD
        self._slots = [memory[size * n : size * (n + 1)] for n in range(count)]
        self._flags = [slot.cast("Q") for slot in self._slots]

    def claim(self) -> int | None:
        """Mark the lowest free slot as taken; None if there is none. For the parent alone."""
        for number in range(1, len(self._flags)):
            if not self._flags[number][_TAKEN]:
                self._flags[number][_TAKEN] = 1
                return number
        return None

    def release(self, number: int) -> None:
        """Let another process have the slot; what was counted in it stays."""
        self._flags[number][_TAKEN] = 0

    def taken(self) -> int:
        """Count the processes that have a slot, without the one that made them."""
        return sum(flags[_TAKEN] for flags in self._flags)

    def open(self, number: int | None) -> Slot:
        """Open a slot for writing; None gives one that nobody else can see."""
        if number is None:
            return Slot(memoryview(bytearray(SLOT_WORDS * WORD)))
        return Slot(self._slots[number])

    def totals(self) -> dict[bytes, list[float]]:
        """Sum every key's values over all slots."""
        sums: dict[bytes, list[float]] = {}
        for memory in self._slots:
            values = memory.cast("d")
            for key, first, count in entries(memory):
                found = values[first : first + count].tolist()
                so_far = sums.get(key, [0.0] * count)
                sums[key] = [a + b for a, b in zip(so_far, found, strict=True)]
        return sums
