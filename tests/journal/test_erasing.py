"""Taking records out of a file that is not what it was a moment ago, or never was one."""

import os
import signal
import stat
import time
from pathlib import Path
from types import FrameType

import pytest

from app.errors import StoreError
from app.files import temporary_name
from app.journal import erase, erasing, read
from app.journal.writing import LogFile, lock
from tests.support.journal import Kept, record, written
from tests.support.users import GROUP, SERVICE, needs_root, run_as, shared_folder

NAME = "20261126T080000Z-7-0123abcd.sealed"


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept.below(tmp_path)


def test_of_two_who_erase_none_brings_back_what_another_took_out(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(kept.folder / NAME, kept.public, [record(1), record(2), record(3)])

    def late(descriptor: int) -> bool:
        """Get the lock when another has just erased, so that it is that of the old file."""
        with monkeypatch.context() as first:
            first.setattr(erasing, "lock", lock)
            erase(path, kept.key, {"id-1"})
        return lock(descriptor)

    monkeypatch.setattr(erasing, "lock", late)
    with pytest.raises(StoreError, match="was replaced meanwhile"):
        erase(path, kept.key, {"id-2"})

    assert list(read(path, kept.key)) == [record(2), record(3)]


def test_a_file_that_is_gone_is_not_one_that_cannot_be_read(kept: Kept) -> None:
    with pytest.raises(FileNotFoundError):
        erase(kept.folder / NAME, kept.key, {"id-1"})


def test_a_file_that_goes_while_its_turn_comes_is_gone_as_well(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(kept.folder / NAME, kept.public, [record(1)])

    def last(descriptor: int) -> bool:
        path.unlink()
        return lock(descriptor)

    monkeypatch.setattr(erasing, "lock", last)
    with pytest.raises(FileNotFoundError):
        erase(path, kept.key, {"id-1"})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_is_not_waited_for(kept: Kept) -> None:
    os.mkfifo(kept.folder / NAME)

    def hangs(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(10)
    try:
        with pytest.raises(StoreError, match="it is not a regular file"):
            erase(kept.folder / NAME, kept.key, {"id-1"})
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@needs_root
def test_who_could_use_a_file_can_use_the_one_in_its_place(kept: Kept) -> None:
    path = written(kept.folder / NAME, kept.public, [record(1), record(2)])
    os.chown(path, SERVICE, GROUP)
    path.chmod(0o640)

    erase(path, kept.key, {"id-1"})

    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (SERVICE, GROUP, 0o640)


@needs_root
def test_who_may_write_to_the_folder_is_given_no_file_from_elsewhere(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a link in the place of the new file, just before root gives that away."""
    path = written(kept.folder / NAME, kept.public, [record(1), record(2)])
    os.chown(path, SERVICE, GROUP)
    roots = tmp_path / "roots"
    roots.touch(mode=0o600)

    class Swapped(LogFile):
        def end(self) -> None:
            super().end()
            self.path.unlink()
            self.path.symlink_to(roots)

    monkeypatch.setattr(erasing, "LogFile", Swapped)
    erase(path, kept.key, {"id-1"})

    assert (roots.stat().st_uid, stat.S_IMODE(roots.stat().st_mode)) == (0, 0o600)


TIDY = """
import sys, time
from pathlib import Path
from app.journal.folder import remove_expired
"""
SAY = "print(*(name for name, error in remove_expired(Path(sys.argv[1]), 30, time.time())))"


@needs_root
def test_what_root_left_behind_is_removed_by_a_service_that_cannot_read_it() -> None:
    with shared_folder() as folder:
        names = [temporary_name() for _ in range(2)]
        for name, age in zip(names, (2 * 3600, 120), strict=True):
            (folder / name).touch(mode=0o600)
            os.utime(folder / name, (time.time() - age,) * 2)

        done = run_as(SERVICE, (), TIDY, SAY, folder)

        assert (done.stderr, done.stdout.split()) == ("", [names[0]])
        assert os.listdir(folder) == [names[1]]  # somebody may be at work on it
