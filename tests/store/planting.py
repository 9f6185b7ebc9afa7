"""What can stand in the place of a file that was published."""

import os
import socket
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

SPARSE_BYTES = 1 << 40


def plant(place: Path, kind: str, outside: Path) -> None:
    """Put something of this kind in the place of a file; links lead to the folder outside."""
    before = place.read_bytes() if place.is_file() else b""
    place.unlink(missing_ok=True)
    (outside / place.name).write_bytes(before)
    KINDS[kind](place, outside / place.name)


def _sparse(place: Path, _original: Path) -> None:
    with place.open("wb") as file:
        file.truncate(SPARSE_BYTES)


def _device(place: Path, _original: Path) -> None:
    try:
        os.mknod(place, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except OSError:
        pytest.skip("only root makes devices")


def _socket(place: Path, _original: Path) -> None:
    # An address has room for short paths only.
    before = Path.cwd()
    os.chdir(place.parent)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(place.name)
    finally:
        os.chdir(before)


def _unreadable(place: Path, original: Path) -> None:
    place.write_bytes(original.read_bytes())
    place.chmod(0)
    with suppress(OSError):
        place.read_bytes()
        pytest.skip("root reads everything")


KINDS: Mapping[str, Callable[[Path, Path], object]] = {
    "nothing": lambda _place, _original: None,
    "empty": lambda place, _: place.touch(),
    "garbage": lambda place, _: place.write_bytes(b"\xff\xfe\x00"),
    "truncated": lambda place, original: place.write_bytes(original.read_bytes()[:-1]),
    "longer": lambda place, original: place.write_bytes(original.read_bytes() + b"\n"),
    "sparse": _sparse,
    "fifo": lambda place, _: os.mkfifo(place),
    "folder": lambda place, _: place.mkdir(),
    "link": lambda place, original: place.symlink_to(original),
    "dangling link": lambda place, original: place.symlink_to(original.parent / "gone"),
    "device": _device,
    "socket": _socket,
    "unreadable": _unreadable,
}
