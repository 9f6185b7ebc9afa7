"""What is refused is read again when something of it changed, or after a growing delay."""

from pathlib import Path

import pytest

from app.registry.loading import FIRST_DELAY, LAST_DELAY
from app.store import Keeper, Opened, Pointer, Reader
from tests.support.watched import Watched


class CountingReader(Reader):
    """Counts how often a version was read in full."""

    reads = 0

    def open(self, name: str, version: int) -> Opened:
        self.reads += 1
        return super().open(name, version)


class Clock:
    """Stands still until it is told to move."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reader(keeper: Keeper) -> CountingReader:
    return CountingReader(keeper.root)


@pytest.fixture
def refusing(keeper: Keeper, reader: CountingReader, clock: Clock) -> Watched:
    """A registry that serves version 2, because the current version 3 is refused."""
    (keeper.root / "tiny" / "3" / "model.joblib").write_bytes(b"damaged")
    watched = Watched(keeper.root, reader=reader, clock=clock)
    watched.refresh()
    assert watched.label == "tiny/2"
    return watched


def test_a_refused_version_is_not_read_again_while_nothing_has_changed(
    refusing: Watched, reader: CountingReader
) -> None:
    before = reader.reads

    told = [refusing.refresh() for _ in range(100)]

    assert reader.reads == before
    assert not any(told)
    assert refusing.problem is not None
    assert refusing.problem.startswith("version 3 is refused: its model.joblib does not match")


def test_after_a_delay_that_doubles_it_is_read_all_the_same(
    refusing: Watched, reader: CountingReader, clock: Clock
) -> None:
    began, before, read_after = clock.now, reader.reads, []

    while clock.now < began + 4 * LAST_DELAY:
        clock.now += 1
        refusing.refresh()
        if reader.reads > before:
            before = reader.reads
            read_after.append(clock.now - began)

    waits = [b - a for a, b in zip([0.0, *read_after], read_after, strict=False)]
    assert waits[:4] == [FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY, 8 * FIRST_DELAY]
    assert max(waits) == LAST_DELAY


def test_a_refused_version_that_is_repaired_is_served_at_the_next_look(
    keeper: Keeper, stocked: Path, refusing: Watched
) -> None:
    place = Path("tiny", "3", "model.joblib")

    (keeper.root / place).write_bytes((stocked / place).read_bytes())
    refusing.refresh()

    assert refusing.label == "tiny/3"
    assert refusing.problem is None


def test_another_pointer_to_a_refused_version_is_looked_into(
    keeper: Keeper, reader: CountingReader, clock: Clock
) -> None:
    """The version is good, but its manifest is not the one that was made current."""
    pointer = keeper.root / "tiny" / "current"
    data = pointer.read_bytes()
    pointer.write_bytes(Pointer(3, "0" * 64).to_bytes())
    watched = Watched(keeper.root, reader=reader, clock=clock)
    watched.refresh()
    before = reader.reads
    assert watched.refresh() == []
    assert (watched.label, reader.reads) == ("tiny/2", before)

    pointer.write_bytes(data)
    watched.refresh()

    assert watched.label == "tiny/3"


def test_a_start_with_nothing_good_does_not_read_everything_at_each_look(
    keeper: Keeper, reader: CountingReader, clock: Clock
) -> None:
    for version in ("1", "2", "3"):
        (keeper.root / "tiny" / version / "model.joblib").write_bytes(b"damaged")
    watched = Watched(keeper.root, reader=reader, clock=clock)
    watched.refresh()
    before = reader.reads

    for _ in range(20):
        watched.refresh()

    assert reader.reads == before == 3
