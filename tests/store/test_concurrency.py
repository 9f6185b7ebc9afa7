"""Several processes that publish the same model at once, some of which are killed."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from app.errors import StoreError
from app.files import TEMPORARY, locked
from app.store import Reader, Store
from tests.store.processes import KILLED, Outcome, Publisher
from tests.support.models import publish

PUBLISHERS = 8
TIMES = 3
CALLS = 190
"""About as many calls into the system as publishing `TIMES` times makes."""


@pytest.fixture(scope="module")
def publishers() -> Iterator[list[Publisher]]:
    """Processes that publish to order."""
    with ExitStack() as stack:
        yield [stack.enter_context(Publisher()) for _ in range(PUBLISHERS)]


def publish_together(publishers: list[Publisher], root: Path, kill_at: int = 0) -> list[Outcome]:
    """All publish several times; the first is killed before this call into the system."""
    for place, publisher in enumerate(publishers):
        at = kill_at if place == 0 else 0
        publisher.begin(root, root, times=TIMES, at=at, held=True)
    for publisher in publishers:
        publisher.release()
    return [publisher.end() for publisher in publishers]


def test_eight_at_once_all_get_numbers_of_their_own_and_the_last_is_current(
    publishers: list[Publisher], root: Path
) -> None:
    outcomes = publish_together(publishers, root)

    made = [version for outcome in outcomes for version in outcome.published]
    assert [outcome.code for outcome in outcomes] == [0] * PUBLISHERS
    assert sorted(made) == list(range(2, PUBLISHERS * TIMES + 2))
    assert all(outcome.published == sorted(outcome.published) for outcome in outcomes)
    assert Reader(root).current("tiny").version == max(made)


@pytest.mark.parametrize("seed", range(6))
def test_one_of_eight_killed_at_any_moment_takes_nothing_with_it(
    publishers: list[Publisher], root: Path, seed: int
) -> None:
    kill_at = Random(seed).randrange(1, CALLS)

    outcomes = publish_together(publishers, root, kill_at)

    reader = Reader(root)
    made = [version for outcome in outcomes for version in outcome.published]
    assert [outcome.code for outcome in outcomes[1:]] == [0] * (PUBLISHERS - 1)
    assert outcomes[0].code in (KILLED, 0)
    assert len(made) == len(set(made))
    for version in reader.versions("tiny"):
        reader.open("tiny", version)
    # The killed one can have come to a version without making it current or telling of it.
    assert len(set(reader.versions("tiny")) - {1, *made}) <= 1
    assert max(made) <= reader.current("tiny").version <= max(reader.versions("tiny"))
    with locked(root / "tiny", 0) as alone:
        assert alone


@pytest.mark.parametrize("seed", range(2))
def test_after_the_killed_one_the_next_publish_is_current_and_clears_up(
    publishers: list[Publisher], root: Path, seed: int
) -> None:
    publish_together(publishers, root, Random(seed).randrange(1, CALLS))
    before = Reader(root).versions("tiny")

    made = publish(root)

    assert made.version == max(before) + 1
    assert Reader(root).current("tiny").version == made.version
    assert [path for path in root.rglob("*") if path.name.startswith(TEMPORARY)] == []


def test_the_first_publishes_into_a_folder_that_is_not_there_yet_do_not_disturb_each_other(
    publishers: list[Publisher], template: Path, tmp_path: Path
) -> None:
    for publisher in publishers:
        publisher.begin(tmp_path / "models", template, held=True)
    for publisher in publishers:
        publisher.release()
    outcomes = [publisher.end() for publisher in publishers]

    assert [outcome.code for outcome in outcomes] == [0] * PUBLISHERS
    assert sorted(version for outcome in outcomes for version in outcome.published) == list(
        range(1, PUBLISHERS + 1)
    )
    assert Reader(tmp_path / "models").default() == "tiny"


def test_a_lock_that_is_never_let_go_ends_in_one_line(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.writer.LOCK_SECONDS", 0.05)

    with (
        locked(root / "tiny", 0),
        pytest.raises(StoreError, match=r"held the lock for 0\.05 s; try again"),
    ):
        publish(root)

    assert Reader(root).versions("tiny") == [1]
    assert Store(root).current("tiny").version == 1
