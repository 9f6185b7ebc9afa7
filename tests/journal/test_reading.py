"""Files of the prediction log: what was written is read, and whatever was done to them is told."""

import os
import stat
from pathlib import Path

import pytest

from app.files import temporary_name
from app.journal import Record, Remark, read
from app.journal.sealing import HEADER_BYTES
from tests.support.journal import Kept, record, written

NAME = "20261126T080000Z-7-0123abcd.sealed"
LOTS = [[record(1), record(2)], [record(3)], [record(4, b"")]]
RECORDS = [each for lot in LOTS for each in lot]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept.below(tmp_path)


@pytest.fixture
def path(kept: Kept) -> Path:
    """A complete file of three frames."""
    return written(kept.folder / NAME, kept.public, *LOTS)


def test_what_was_written_is_read(kept: Kept, path: Path) -> None:
    assert list(read(path, kept.key)) == RECORDS


def test_a_file_is_its_owners_alone_and_shows_nothing(path: Path) -> None:
    content = path.read_bytes()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for shown in (b"tiny", b"reader", b"id-1", b'{"x"', b"1.5"):
        assert shown not in content


def test_the_same_records_make_another_file_each_time(kept: Kept, path: Path) -> None:
    again = written(kept.folder / f"{NAME}2", kept.public, *LOTS)

    assert again.read_bytes()[HEADER_BYTES:] != path.read_bytes()[HEADER_BYTES:]


def test_every_changed_byte_is_told_and_what_is_read_is_as_it_was(kept: Kept, path: Path) -> None:
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])

        found = list(read(path, kept.key))

        assert any(isinstance(each, Remark) and each.is_damage for each in found), place
        assert all(each in RECORDS for each in found if isinstance(each, Record))


def test_damage_in_one_frame_leaves_the_others_readable(kept: Kept, path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[HEADER_BYTES + 40] ^= 1  # within the first frame's records
    path.write_bytes(content)

    found = list(read(path, kept.key))

    assert [each for each in found if isinstance(each, Record)] == RECORDS[2:]


def test_a_file_that_ends_early_is_told_wherever_it_was_cut(kept: Kept, path: Path) -> None:
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])

        found = list(read(path, kept.key))

        records = [each for each in found if isinstance(each, Record)]
        remarks = [each for each in found if isinstance(each, Remark)]
        assert records == RECORDS[: len(records)]
        assert len(remarks) == 1, length
        assert remarks[0].is_damage == (0 < length < HEADER_BYTES)


def test_frames_cannot_be_moved_repeated_or_left_out(kept: Kept, tmp_path: Path) -> None:
    same = [[record(1)], [record(1)]]
    path = written(tmp_path / "two", kept.public, *same, complete=False)
    content = path.read_bytes()
    header, frames = content[:HEADER_BYTES], content[HEADER_BYTES:]
    first, second = frames[: len(frames) // 2], frames[len(frames) // 2 :]

    for forged in (second + first, first + first, second):
        path.write_bytes(header + forged)

        assert any(remark.is_damage for remark in kept.remarks(path))


def test_what_stands_behind_the_end_is_told(kept: Kept, path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")

    assert [each.text for each in kept.remarks(path)] == ["has 4 bytes behind its end"]


def test_another_key_opens_nothing_and_is_named(path: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Kept.below(tmp_path / "other")

    (remark,) = read(path, other.key)

    assert isinstance(remark, Remark)
    assert "it was sealed for the key" in remark.text


def test_a_pipe_a_link_and_a_folder_are_told_and_not_waited_for(kept: Kept, path: Path) -> None:
    os.mkfifo(kept.folder / "pipe")
    (kept.folder / "link").symlink_to(path)
    (kept.folder / "folder").mkdir()

    for name in ("pipe", "link", "folder", "nothing", temporary_name()):
        (remark,) = kept.remarks(kept.folder / name)

        assert remark.is_damage
        assert remark.text.startswith("cannot be read: ")
