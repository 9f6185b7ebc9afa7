"""Memory that several processes count in."""

from app.telemetry.shared import SLOT_WORDS, SharedSlots, Slot


def _count(slot: Slot, key: bytes, amount: float = 1.0) -> None:
    place = slot.reserve(key, 1)
    assert place is not None
    slot.values[place] += amount


def test_a_key_keeps_its_place() -> None:
    slot = SharedSlots(2).open(0)

    places = [slot.reserve(key, 3) for key in (b"a", b"bb" * 9, b"a")]

    assert places[0] == places[2] != places[1]


def test_totals_are_sums_over_all_slots() -> None:
    slots = SharedSlots(4)
    for number in range(4):
        _count(slots.open(number), b"all", number)
    _count(slots.open(2), b"one", 0.5)

    assert slots.totals() == {b"all": [6.0], b"one": [0.5]}


def test_who_takes_over_a_slot_counts_on_from_its_predecessor() -> None:
    slots = SharedSlots(2)
    _count(slots.open(1), b"seen", 40.0)

    successor = slots.open(1)
    _count(successor, b"new", 1.0)
    _count(successor, b"seen", 2.0)

    assert slots.totals() == {b"seen": [42.0], b"new": [1.0]}


def test_an_entry_that_its_writer_did_not_finish_is_overwritten_by_the_next() -> None:
    slots = SharedSlots(2)
    _count(slots.open(1), b"whole")
    memory = slots._slots[1]
    memory[memory.cast("Q")[0] * 8 :] = b"\xff" * (len(memory) - memory.cast("Q")[0] * 8)

    seen_by_readers = slots.totals()
    successor = slots.open(1)
    place = successor.reserve(b"next", 1)

    assert seen_by_readers == {b"whole": [1.0]}
    assert place is not None
    assert successor.values[place] == 0.0
    assert set(slots.totals()) == {b"whole", b"next"}


def test_a_full_slot_refuses_new_keys_and_keeps_the_old_ones() -> None:
    slots = SharedSlots(1)
    slot = slots.open(0)
    _count(slot, b"first")

    assert slot.reserve(b"huge", SLOT_WORDS) is None
    _count(slot, b"first")
    assert slots.totals() == {b"first": [2.0]}


def test_slots_are_claimed_lowest_first_and_come_back() -> None:
    slots = SharedSlots(4)

    assert [slots.claim() for _ in range(4)] == [1, 2, 3, None]
    slots.release(2)
    assert slots.taken() == 2
    assert slots.claim() == 2


def test_without_a_slot_a_process_counts_for_itself() -> None:
    slots = SharedSlots(1)
    slot = slots.open(None)

    _count(slot, b"mine")

    assert slots.totals() == {}
