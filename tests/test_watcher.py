"""What is published is taken over without being asked for."""

import threading
from pathlib import Path

import pytest

from app.registry import LoadEvent, Registry
from app.store import Reader
from app.telemetry import Log
from app.watcher import Watcher
from tests.support.models import PLAIN, publish
from tests.support.threads import no_more_threads

SECONDS = 20


class Told:
    """Remembers which versions were loaded, and lets a test wait for one."""

    def __init__(self) -> None:
        self._versions: set[int | None] = set()
        self._news = threading.Condition()

    def __call__(self, event: LoadEvent) -> None:
        with self._news:
            self._versions.add(event.version)
            self._news.notify_all()

    def waits_for(self, version: int) -> bool:
        """Whether this version is loaded in time."""
        with self._news:
            return self._news.wait_for(lambda: version in self._versions, SECONDS)


def watchers() -> set[threading.Thread]:
    """Threads that watch; those of earlier tests may still be on their way out."""
    return {thread for thread in threading.enumerate() if thread.name == "watcher"}


def test_a_version_that_is_published_later_is_served(tmp_path: Path) -> None:
    told = Told()
    publish(tmp_path / "models", "tiny", PLAIN)
    registry = Registry(Reader(tmp_path / "models"), None, told)
    watcher = Watcher(registry, 0.01, Log(access=False))
    watcher.ensure()

    publish(tmp_path / "models", "tiny", PLAIN)

    assert told.waits_for(2)
    watcher.stop()


def test_it_watches_once_however_often_it_is_asked_to(tmp_path: Path) -> None:
    before = watchers()
    watcher = Watcher(Registry(Reader(tmp_path), None, Told()), 3600, Log(access=False))

    for _ in range(5):
        watcher.ensure()

    assert len(watchers() - before) == 1
    watcher.stop()


def test_a_look_takes_over_at_once_unless_looking_is_switched_off(tmp_path: Path) -> None:
    publish(tmp_path / "models", "tiny", PLAIN)
    registry = Registry(Reader(tmp_path / "models"), None, Told())
    registry.refresh()
    publish(tmp_path / "models", "tiny", PLAIN)

    Watcher(registry, 0, Log(access=False)).look()
    assert registry.get().label == "tiny/1"

    Watcher(registry, 3600, Log(access=False)).look()
    assert registry.get().label == "tiny/2"


def test_zero_seconds_switch_it_off(tmp_path: Path) -> None:
    before = watchers()
    watcher = Watcher(Registry(Reader(tmp_path), None, Told()), 0, Log(access=False))

    watcher.ensure()

    assert not watchers() - before


def test_a_look_that_fails_is_logged_and_the_next_one_comes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told = Told()
    publish(tmp_path / "models", "tiny", PLAIN)

    class Failing(Registry):
        """Fails at the first look."""

        failures = 0

        def refresh(self) -> None:
            if not self.failures:
                self.failures += 1
                raise MemoryError
            super().refresh()

    watcher = Watcher(Failing(Reader(tmp_path / "models"), None, told), 0.01, Log(access=False))
    watcher.ensure()

    assert told.waits_for(1)
    assert "MemoryError" in capfd.readouterr().err
    watcher.stop()


def test_without_a_thread_it_watches_when_it_is_asked_again(tmp_path: Path) -> None:
    before = watchers()
    watcher = Watcher(Registry(Reader(tmp_path), None, Told()), 3600, Log(access=False))
    with no_more_threads():
        watcher.ensure()
    meanwhile = watchers() - before

    watcher.ensure()

    assert not meanwhile
    assert len(watchers() - before) == 1
    watcher.stop()
