"""A disk that is full or cannot be written to: one line with a remedy, and what was there stays."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.errors import StoreError
from app.model import load_model
from app.store import Reader, Store
from tests.support.models import publish

Mount = Callable[[str], None]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Puts a small disk in the place of the models folder, or changes how it is mounted."""
    place = tmp_path / "models"
    place.mkdir()
    mounted = []

    def run(options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", options, "ordinate-test", str(place)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=20)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("no file system can be mounted here")
        mounted.append(place)

    yield run
    if mounted:
        subprocess.run(["umount", str(place)], check=True, timeout=20)


def publish_on_and_on(root: Path) -> None:
    for _ in range(8):
        publish(root)


@pytest.mark.parametrize("limit", ["size=20k", "nr_inodes=9"], ids=["no room", "no inodes"])
def test_a_full_disk_stops_a_publish_with_one_line_and_keeps_the_version_before(
    tmp_path: Path, mount: Mount, limit: str
) -> None:
    root = tmp_path / "models"
    mount(limit)
    publish(root)

    with pytest.raises(StoreError) as caught:
        publish_on_and_on(root)

    reader = Reader(root)
    assert caught.value.message == (
        f"cannot write to {root}: No space left on device; "
        "make room on its disk, or choose another models folder"
    )
    assert reader.current("tiny").version == max(reader.versions("tiny"))
    for version in reader.versions("tiny"):
        load_model(reader, "tiny", version)


def test_when_there_is_room_again_publishing_goes_on(tmp_path: Path, mount: Mount) -> None:
    root = tmp_path / "models"
    mount("size=32k")
    publish(root)
    filler = root / "filler"
    filler.write_bytes(b"x" * (32 - 16 - 4) * 1024)

    with pytest.raises(StoreError, match="make room"):
        publish(root)
    filler.unlink()

    assert publish(root).version == 2


def test_a_read_only_disk_is_told_before_the_work_and_at_the_publish(
    tmp_path: Path, mount: Mount
) -> None:
    root = tmp_path / "models"
    mount("size=1m")
    publish(root)
    mount("remount,ro")

    for attempt in (publish, lambda root: Store(root).check_writable("tiny")):
        with pytest.raises(StoreError, match=r"cannot write to .*; make it writable for this user"):
            attempt(root)

    assert load_model(Reader(root), "tiny", 1).label == "tiny/1"


def test_a_folder_without_permission_is_told_before_the_work_and_at_the_publish(
    root: Path,
) -> None:
    (root / "tiny").chmod(0o500)
    if os.access(root / "tiny", os.W_OK):
        pytest.skip("root writes everywhere")

    for attempt in (publish, lambda root: Store(root).check_writable("tiny")):
        with pytest.raises(StoreError, match="Permission denied; make it writable"):
            attempt(root)


@pytest.mark.parametrize(
    "place", ["models", "models/tiny"], ids=["models folder", "model's folder"]
)
def test_a_file_where_a_folder_belongs_is_told_before_the_work(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("mine")

    with pytest.raises(StoreError, match="Not a directory"):
        Store(tmp_path / "models").check_writable("tiny")

    assert (tmp_path / place).read_text() == "mine"


def test_a_place_that_can_be_written_to_passes_and_nothing_is_written(tmp_path: Path) -> None:
    Store(tmp_path / "a" / "b").check_writable("tiny")

    assert list(tmp_path.iterdir()) == []
