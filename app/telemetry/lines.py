"""Log lines: one JSON object each, and a way to write them that never holds a request up."""

import json
import os
import select
import socket
import stat
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import orjson

LIMIT = 4096
"""Longest line in bytes: up to PIPE_BUF, a pipe takes a line whole or not at all."""

FILE_LIMIT = 1 << 16
"""Most bytes that are gathered for a file."""

LOT = 1 << 13
"""Bytes that are written when the turn ends: a few microseconds, which no request notices. More at
once would be cheaper by a line, and hold up more of those that come meanwhile."""

Later = Callable[[Callable[[], None]], object]
"""Makes a call later."""

_CUT = "...(cut)"


def encode(record: Mapping[str, Any]) -> bytes:
    """Write a record as one line of printable ASCII, which no value can split or colour.

    Values that JSON does not know are written as text; the longest texts are cut until the line
    fits into LIMIT.
    """
    try:
        line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        line = b"\x7f"
    if len(line) <= LIMIT and line.isascii() and b"\x7f" not in line:
        return line
    return _encode_anything(dict(record))


def _encode_anything(record: dict[str, Any]) -> bytes:
    while len(line := _escaped(record)) > LIMIT:
        texts = {name: str(value) for name, value in record.items()}
        longest = max(texts, key=lambda name: len(texts[name]))
        kept = len(texts[longest]) // 2 - len(_CUT)
        if kept < 0:
            return b'{"level":"error","event":"a log line had too many fields"}\n'
        record[longest] = texts[longest][:kept] + _CUT
    return line


def _escaped(record: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(record, default=str, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError):
        text = json.dumps({str(name): str(value) for name, value in record.items()})
    return text.replace("\x7f", "\\u007f").encode("ascii") + b"\n"


class Sink:
    """Takes whole lines for a descriptor; never waits for who reads them and never raises.

    A line that cannot be written at once is given up and told to `on_loss`: a reader that stopped,
    a full disk or a closed stream must not stop predictions.
    """

    def __init__(self, descriptor: int, on_loss: Callable[[], None] = lambda: None) -> None:
        self._send = _sender(descriptor)
        self._most = _most_together(descriptor)
        self._on_loss = on_loss
        self._lot = min(LOT, self._most * 3 // 4)
        self._torn = False
        self._in_time: Later | None = None
        self._at_end: Later | None = None
        self._thread = 0
        self._held: list[bytes] = []
        self._size = 0
        self._is_timed = self._is_asked = False

    def gather(self, in_time: Later, at_end: Later) -> None:
        """Write what this thread writes from now on by the lot.

        An event loop that answers several clients then asks the system once for all. Neither is
        asked for a second call before it has made the first: a timer for each lot would wake the
        loop for nothing, hundreds of times a second.

        Args:
            in_time: has a call made after the longest time that a line may wait.
            at_end: has a call made when the present requests are answered.
        """
        self._thread = threading.get_ident()
        self._in_time, self._at_end = in_time, at_end

    def write(self, line: bytes) -> None:
        """Write a line, newline included: at once, or with others."""
        if self._in_time is None or threading.get_ident() != self._thread:
            self._write(line)
            return
        size = self._size + len(line)
        if size > self._most:
            self.flush()
            size = len(line)
        self._held.append(line)
        self._size = size
        if not self._is_timed:
            self._is_timed = True
            self._in_time(self._write_in_time)
        if size >= self._lot and not self._is_asked and self._at_end is not None:
            self._is_asked = True
            self._at_end(self._write_at_end)

    def _write_in_time(self) -> None:
        self._is_timed = False
        self.flush()

    def _write_at_end(self) -> None:
        self._is_asked = False
        self.flush()

    def flush(self) -> None:
        """Write what was gathered."""
        if self._held:
            held = b"".join(self._held)
            self._held, self._size = [], 0
            self._write(held)

    def _write(self, line: bytes) -> None:
        lines = line.count(b"\n")
        if self._torn:  # the disk filled up in the middle of an earlier line
            line = b"\n" + line
        try:
            sent = self._send(line)
        except OSError:
            self._lose(lines)
            return
        self._torn = False
        if rest := line[sent:]:
            self._torn = not line[:sent].endswith(b"\n")
            self._lose(min(lines, rest.count(b"\n")))

    def _lose(self, lines: int) -> None:
        for _ in range(lines):
            self._on_loss()


def _most_together(descriptor: int) -> int:
    """Bytes that may be written in one call: to a file more than what a pipe takes whole."""
    with suppress(OSError):
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return FILE_LIMIT
    return LIMIT


def _sender(descriptor: int) -> Callable[[bytes], int]:
    try:
        kind = os.fstat(descriptor).st_mode
    except OSError:
        return _refuse
    if descriptor in _closed_at_start():
        return _refuse  # its number may belong to anything by now, a client's connection even
    if stat.S_ISSOCK(kind):
        return _socket_sender(descriptor)
    if stat.S_ISFIFO(kind):
        return _pipe_sender(descriptor)
    return partial(os.write, descriptor)


def _refuse(_line: bytes) -> int:
    raise OSError("the stream is closed")


def _closed_at_start() -> set[int]:
    streams = {1: sys.__stdout__, 2: sys.__stderr__}
    return {number for number, stream in streams.items() if stream is None}


def _socket_sender(descriptor: int) -> Callable[[bytes], int]:
    flags = getattr(socket, "MSG_DONTWAIT", 0) | getattr(socket, "MSG_NOSIGNAL", 0)
    probe = socket.socket(fileno=descriptor)
    family, kind, protocol = probe.family, probe.type, probe.proto
    probe.detach()

    def send(line: bytes) -> int:
        connection = socket.socket(family, kind, protocol, fileno=descriptor)
        try:
            return connection.send(line, flags)
        finally:
            connection.detach()

    return send


def _pipe_sender(descriptor: int) -> Callable[[bytes], int]:
    if sys.platform == "win32":  # no pipe can be asked there whether it has room
        return partial(os.write, descriptor)
    # O_NONBLOCK belongs to the open pipe, which other programs share; opened anew, it is our own.
    with suppress(OSError):
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
        return partial(os.write, os.open(f"/proc/self/fd/{descriptor}", flags))

    def write_if_there_is_room(line: bytes) -> int:
        if not select.select((), (descriptor,), (), 0)[1]:
            raise BlockingIOError("the pipe is full")
        return os.write(descriptor, line)

    return write_if_there_is_room
