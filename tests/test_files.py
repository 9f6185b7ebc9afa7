"""File operations: nothing but regular files is read, nothing is ever half written."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.files import (
    TEMPORARY,
    Folder,
    is_locked,
    locked,
    replace,
    sync_folder,
    temporary_name,
    write_new,
)
from tests.support.descriptors import opened, settles_at


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc" * 1000)

    with Folder.open(tmp_path) as folder:
        assert folder.read("file", 3000) == b"abc" * 1000


def test_a_file_over_the_limit_is_refused_by_its_size(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abcd")

    with Folder.open(tmp_path) as folder, pytest.raises(OSError, match="more than 3 bytes"):
        folder.read("file", 3)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(lambda place: place.mkdir(), "not a regular file", id="folder"),
        pytest.param(os.mkfifo, "not a regular file", id="pipe"),
        pytest.param(lambda place: place.symlink_to("/etc/passwd"), "symbolic link", id="link"),
        pytest.param(lambda _: None, "No such file", id="nothing"),
    ],
)
def test_what_is_not_a_regular_file_is_refused_without_waiting_and_without_a_descriptor_left(
    tmp_path: Path, make: Callable[[Path], Any], says: str
) -> None:
    make(tmp_path / "thing")

    with Folder.open(tmp_path) as folder:
        before = opened()
        with pytest.raises(OSError, match=says):
            folder.read("thing", 100)
        assert settles_at(before)


def test_a_pipe_with_a_writer_is_not_read_either(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    os.write(writer, b"endless")

    with Folder.open(tmp_path) as folder, pytest.raises(OSError, match="not a regular file"):
        folder.read("pipe", 100)

    os.close(writer)


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_folder_is_entered_only_if_it_is_one(tmp_path: Path, kind: str) -> None:
    (tmp_path / "real").mkdir()
    if kind == "link":
        (tmp_path / "thing").symlink_to(tmp_path / "real")
    else:
        (tmp_path / "thing").touch()

    with Folder.open(tmp_path) as folder, pytest.raises(OSError, match=r"link|Not a directory"):
        folder.folder("thing")


def test_an_open_folder_is_the_same_one_after_another_took_its_place(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"first")

    with Folder.open(tmp_path / "a") as folder:
        (tmp_path / "a").rename(tmp_path / "b")
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "file").write_bytes(b"second")

        assert folder.read("file", 100) == b"first"


def test_the_identity_of_a_file_differs_after_it_was_changed_or_replaced(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"abc")
    found = []

    with Folder.open(tmp_path) as folder:
        found.append(folder.identity("file"))
        assert found == [folder.identity("file")]
        place.write_bytes(b"abcd")
        found.append(folder.identity("file"))
        os.utime(place, ns=(1, 1))
        found.append(folder.identity("file"))
        replace(place, b"abcd")
        found.append(folder.identity("file"))
        place.unlink()
        place.symlink_to("elsewhere")
        found.append(folder.identity("file"))

    assert len(set(found)) == 5


def test_a_new_file_never_takes_the_place_of_another(tmp_path: Path) -> None:
    write_new(tmp_path / "file", b"first")

    with pytest.raises(FileExistsError):
        write_new(tmp_path / "file", b"second")

    assert (tmp_path / "file").read_bytes() == b"first"


def test_replacing_makes_a_new_file_and_leaves_the_old_one_to_its_readers(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"first")

    with place.open("rb") as reader:
        replace(place, b"second, and longer")

        assert reader.read() == b"first"
    assert place.read_bytes() == b"second, and longer"
    assert os.listdir(tmp_path) == ["file"]


def test_a_replacement_that_fails_leaves_the_old_and_no_rubbish(tmp_path: Path) -> None:
    place = tmp_path / "folder"
    place.mkdir()

    with pytest.raises(OSError, match="directory"):
        replace(place, b"data")

    assert os.listdir(tmp_path) == ["folder"]


def test_whoever_reads_while_it_is_replaced_sees_one_or_the_other(tmp_path: Path) -> None:
    place = tmp_path / "file"
    whole = {bytes([letter]) * 5000 for letter in b"abcd"}
    place.write_bytes(b"a" * 5000)
    done = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not done.is_set():
            with Folder.open(tmp_path) as folder:
                seen.add(folder.read("file", 10_000))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(25):
        for data in whole:
            replace(place, data)
    done.set()
    reader.join()

    assert seen
    assert seen <= whole


def test_a_folder_can_be_brought_to_disk(tmp_path: Path) -> None:
    sync_folder(tmp_path)

    with pytest.raises(OSError, match="No such file"):
        sync_folder(tmp_path / "gone")


def test_temporary_names_differ_and_are_known_by_their_beginning() -> None:
    names = {temporary_name() for _ in range(100)}

    assert len(names) == 100
    assert all(name.startswith(TEMPORARY) for name in names)


def test_a_lock_is_held_by_one_at_a_time_and_let_go_at_the_end(tmp_path: Path) -> None:
    with (
        locked(tmp_path, 0) as first,
        pytest.raises(TimeoutError, match="another process has held the lock"),
        locked(tmp_path, 0),
    ):
        assert first
    with locked(tmp_path, 0) as again:
        assert again


def test_who_only_reads_can_tell_whether_a_lock_is_held(tmp_path: Path) -> None:
    with locked(tmp_path, 0):
        assert is_locked(tmp_path)

    assert not is_locked(tmp_path)
    assert not is_locked(tmp_path / "gone")


def test_a_lock_is_let_go_when_its_holder_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), locked(tmp_path, 0):
        raise KeyboardInterrupt

    with locked(tmp_path, 0) as again:
        assert again


def test_who_waits_for_a_lock_gets_it(tmp_path: Path) -> None:
    holding, order = threading.Event(), []

    def hold() -> None:
        with locked(tmp_path, 1):
            holding.set()
            order.append("first")

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(10)
    with locked(tmp_path, 10):
        order.append("second")
    thread.join()

    assert order == ["first", "second"]
