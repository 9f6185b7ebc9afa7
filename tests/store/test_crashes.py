"""Whatever call a publish dies or fails at, what is there is the old state or the new one."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from app.files import TEMPORARY, locked
from app.store import Opened, Reader, Store
from tests.store.processes import KILLED, REFUSED, Outcome, Publisher, calls_in, can_trace

MOST_CALLS = 500
"""Far more than a publish makes."""

SPACE = ("openat", "write", "fsync", "mkdir", "rename")
"""Calls that can find the disk full."""

Fresh = Callable[[], Path]

needs_strace = pytest.mark.skipif(
    not can_trace(), reason="strace is not installed or may not trace here"
)


@pytest.fixture(params=["first", "second"])
def fresh(request: pytest.FixtureRequest, template: Path, quick_path: Path) -> Fresh:
    """Makes the state before the first or the second version, each time in a new place."""
    numbers = iter(range(10_000))

    def make() -> Path:
        root = quick_path / str(next(numbers)) / "models"
        if request.param == "second":
            shutil.copytree(template, root)
        return root

    return make


def assert_whole(root: Path, outcome: Outcome, before: list[int]) -> None:
    """The old state or the new one, every version good, and at most one line about it."""
    reader = Reader(root)
    versions = reader.versions("tiny")
    current = reader.current("tiny").version if (root / "tiny" / "current").exists() else None

    assert outcome.code in (KILLED, REFUSED, 0)
    assert outcome.refused is None or outcome.refused.isprintable()
    assert versions in (before, [*before, len(before) + 1])
    assert current in (*before, len(before) + 1) or not before
    opened = {version: reader.open("tiny", version) for version in versions}
    if current is not None:
        assert opened[current].manifest_sha256 == reader.current("tiny").manifest_sha256


def assert_next_works(root: Path, source: Opened) -> None:
    """The next version has the next number and is current; no rubbish and no lock is left."""
    versions = Reader(root).versions("tiny")

    made = Store(root).publish("tiny", source.manifest.description, source.files)

    reader = Reader(root)
    assert made.version == len(versions) + 1
    assert reader.current("tiny").version == made.version
    assert reader.default() == "tiny"
    assert [path for path in root.rglob("*") if path.name.startswith(TEMPORARY)] == []
    with locked(root / "tiny", 0) as alone:
        assert alone


def check(fresh: Fresh, template: Path, run: Callable[[Path], Outcome]) -> Outcome:
    """Start anew, publish in this way, and look at what came of it."""
    root = fresh()
    before = Reader(root).versions("tiny")
    source = Reader(template).open("tiny", 1)

    outcome = run(root)

    assert_whole(root, outcome, before)
    assert_next_works(root, source)
    return outcome


@pytest.mark.parametrize("error", [None, "EIO"], ids=["killed", "failed"])
def test_a_publish_that_ends_before_any_call_into_the_system_leaves_a_whole_store(
    publisher: Publisher, template: Path, fresh: Fresh, error: str | None
) -> None:
    for at in range(1, MOST_CALLS):
        stopped = partial(publisher.publish, source=template, at=at, error=error)
        if not check(fresh, template, stopped).reached:
            break

    assert 20 < at < MOST_CALLS - 1


@needs_strace
def test_a_publish_killed_at_any_system_call_leaves_a_whole_store(
    publisher: Publisher, template: Path, fresh: Fresh, tmp_path: Path
) -> None:
    calls = every_call(publisher, template, fresh(), tmp_path)

    for call, number in calls:
        rule = f"{call}:signal=SIGKILL:when={number}"
        traced = partial(publisher.publish_traced, source=template, log=tmp_path / "log", rule=rule)
        assert check(fresh, template, traced).code == KILLED, rule


@needs_strace
@pytest.mark.parametrize(
    "fault", ["error=EIO:when={}", "error=ENOSPC:when={}+"], ids=["one error", "full from then on"]
)
def test_a_publish_that_meets_a_failing_disk_leaves_a_whole_store(
    publisher: Publisher, template: Path, fresh: Fresh, tmp_path: Path, fault: str
) -> None:
    calls = every_call(publisher, template, fresh(), tmp_path)

    for call, number in calls:
        if call in SPACE or "EIO" in fault:
            rule, log = f"{call}:{fault.format(number)}", tmp_path / "log"
            check(
                fresh,
                template,
                partial(publisher.publish_traced, source=template, log=log, rule=rule),
            )


def every_call(
    publisher: Publisher, template: Path, root: Path, tmp_path: Path
) -> Iterator[tuple[str, int]]:
    """Each call that an undisturbed publish makes, by name and its number among those of it."""
    outcome = publisher.publish_traced(root, template, tmp_path / "log")
    assert outcome.code == 0
    counted = calls_in(tmp_path / "log")
    assert counted["rename"] >= 2
    assert counted["fsync"] >= 6
    return ((call, number) for call in counted for number in range(1, counted[call] + 1))
