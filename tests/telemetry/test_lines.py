"""Log lines: nothing splits them, and writing them never waits and never raises."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.telemetry.lines import FILE_LIMIT, LIMIT, LOT, Sink, encode

HOSTILE = [
    "a\nb",
    "a\r\nb",
    "\x1b[31mred\x1b[0m",
    "\x7f\x08",
    "\x85\x9b31m",
    "\u2028\u2029",
    "\u202egnp",
    "\x00",
    '"\\',
    "\U0001f600",
    "\udc80",
    "é" * 3000,
    "\x01" * 5000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_line_is_printable_ascii_whatever_it_holds(text: str) -> None:
    line = encode({"event": "request", "path": text}).decode("ascii")

    assert line.endswith("\n")
    assert line[:-1].isprintable()
    assert len(line) <= LIMIT
    assert json.loads(line)["path"][:20] == text[:20]


@pytest.mark.parametrize("value", [object(), {1: {2}}, 1 << 80, float("nan"), [float("inf")], b"x"])
def test_values_that_json_does_not_know_do_not_stop_a_line(value: object) -> None:
    record = json.loads(encode({"event": "odd", "value": value}))

    assert record["event"] == "odd"


def test_the_longest_texts_are_cut_and_the_others_kept() -> None:
    record = json.loads(encode({"event": "long", "trace": ["x" * 100] * 100, "reason": "short"}))

    assert record["reason"] == "short"
    assert record["trace"].endswith("...(cut)")


def test_a_record_with_too_many_fields_still_makes_a_line() -> None:
    line = encode({f"field {number}": number for number in range(1000)})

    assert "too many fields" in json.loads(line)["event"]


class Losses:
    """Counts the lines that were given up."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def losses() -> Losses:
    return Losses()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


def test_a_line_goes_out_whole(pipe: tuple[int, int], losses: Losses) -> None:
    Sink(pipe[1], losses).write(b"hello\n")

    assert os.read(pipe[0], 100) == b"hello\n"
    assert losses.count == 0


def test_a_reader_that_stopped_costs_lines_and_not_time(
    pipe: tuple[int, int], losses: Losses
) -> None:
    sink, line = Sink(pipe[1], losses), b"x" * 4095 + b"\n"

    for _ in range(100):
        sink.write(line)

    assert 0 < losses.count < 100
    assert os.get_blocking(pipe[1])  # the descriptor belongs to others as well
    received = os.read(pipe[0], 1 << 20)
    assert received == line * (100 - losses.count)


def test_a_reader_that_went_away_costs_lines_only(pipe: tuple[int, int], losses: Losses) -> None:
    sink = Sink(pipe[1], losses)
    os.close(pipe[0])

    sink.write(b"hello\n")

    assert losses.count == 1


def test_a_socket_whose_reader_stopped_costs_lines_only(losses: Losses) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sink = Sink(ours.fileno(), losses)

        for _ in range(2000):
            sink.write(b"x" * 999 + b"\n")

        assert losses.count > 0
        assert theirs.recv(1000) == b"x" * 999 + b"\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_costs_lines_only(losses: Losses) -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        Sink(descriptor, losses).write(b"hello\n")
    finally:
        os.close(descriptor)

    assert losses.count == 1


def test_a_stream_that_was_never_open_costs_lines_only(losses: Losses) -> None:
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.close(descriptor)

    Sink(descriptor, losses).write(b"hello\n")

    assert losses.count == 1


CLOSED = """
import os, socket
client, server = socket.socketpair()
assert 1 in (client.fileno(), server.fileno())
from app.telemetry import Log
Log().access(request_id="r", method="GET", route="/", path="/", status=200, seconds=0.1)
client.setblocking(False)
server.setblocking(False)
for end in (client, server):
    try:
        os.write(2, end.recv(100))
    except BlockingIOError:
        os.write(2, b"nothing ")
"""


def test_with_stdout_closed_no_line_ends_up_in_what_took_its_number() -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, CLOSED],
        check=True,
        stderr=subprocess.PIPE,
        timeout=60,
    )

    assert done.stderr == b"nothing nothing "


def test_after_a_torn_line_the_next_begins_on_its_own(tmp_path: Path, losses: Losses) -> None:
    with open(tmp_path / "log", "wb", buffering=0) as file:
        sink = Sink(file.fileno(), losses)
        whole = sink._send
        sink._send = lambda line: whole(line[:3])  # a disk with room for three bytes
        sink.write(b"first\n")
        sink._send = whole
        sink.write(b"second\n")

    assert (tmp_path / "log").read_bytes() == b"fir\nsecond\n"
    assert losses.count == 1


ROOM = [
    pytest.param(0, b"\nlast\n", 3, id="none"),
    pytest.param(3, b"fir\nlast\n", 3, id="a part of a line"),
    pytest.param(6, b"first\nlast\n", 2, id="a whole one"),
    pytest.param(9, b"first\nsec\nlast\n", 2, id="one and a part"),
]


@pytest.mark.parametrize(("room", "written", "lost"), ROOM)
def test_of_lines_that_are_written_together_each_that_is_cut_off_counts(
    tmp_path: Path, losses: Losses, room: int, written: bytes, lost: int
) -> None:
    with open(tmp_path / "log", "wb", buffering=0) as file:
        sink = Sink(file.fileno(), losses)
        whole = sink._send
        sink._send = lambda lines: whole(lines[:room])  # a disk that fills up
        sink.write(b"first\nsecond\nthird\n")
        sink._send = whole
        sink.write(b"last\n")

    assert (tmp_path / "log").read_bytes() == written
    assert losses.count == lost


MANY = """
import os
from app.telemetry import Log
log = Log()
children = []
for number in range(4):
    child = os.fork()
    if child == 0:
        for _ in range(500):
            log.access(request_id=str(number) * 128, method="GET", route="/", path="/" + "x" * 500,
                       status=200, seconds=0.1)
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""


def test_lines_of_several_workers_never_mix(tmp_path: Path) -> None:
    with open(tmp_path / "log", "wb") as file:
        subprocess.run([sys.executable, "-c", MANY], check=True, stdout=file, timeout=60)

    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 2000
    assert {len(json.loads(line)["request_id"]) for line in lines} == {128}


def _never(_call: Callable[[], None]) -> None:
    """Be asked to make a call later."""


def test_a_few_lines_are_written_in_time_at_once_and_in_order(tmp_path: Path) -> None:
    in_time: list[Callable[[], None]] = []
    at_end: list[Callable[[], None]] = []
    target = tmp_path / "log"
    with target.open("wb", buffering=0) as file:
        sink = Sink(file.fileno())
        sink.gather(in_time.append, at_end.append)

        for number in range(3):
            sink.write(b"line %d\n" % number)
        before = target.read_bytes()
        for flush in in_time:
            flush()

    assert before == b""
    assert len(in_time) == 1
    assert not at_end
    assert target.read_bytes() == b"line 0\nline 1\nline 2\n"


def test_no_more_is_gathered_than_a_pipe_takes_whole() -> None:
    reading, writing = os.pipe()
    sink = Sink(writing)
    sink.gather(_never, _never)

    for _ in range(3):
        sink.write(b"x" * (LIMIT // 2) + b"\n")

    assert os.read(reading, 1 << 16) == (b"x" * (LIMIT // 2) + b"\n") * 2
    os.close(reading)
    os.close(writing)


def test_a_lot_is_written_when_the_turn_ends(tmp_path: Path) -> None:
    at_end: list[Callable[[], None]] = []
    target = tmp_path / "log"
    line = b"x" * (LOT // 10) + b"\n"
    with target.open("wb", buffering=0) as file:
        sink = Sink(file.fileno())
        sink.gather(_never, at_end.append)

        for _ in range(15):
            sink.write(line)
        before, asked = target.read_bytes(), len(at_end)
        at_end.pop()()
        for _ in range(9):
            sink.write(line)
        few = len(at_end)
        sink.write(line)

    assert before == b""
    assert asked == 1
    assert target.read_bytes() == 15 * line
    assert few == 0
    assert len(at_end) == 1


def test_one_timer_is_awaited_however_many_lots_are_written_before() -> None:
    in_time: list[Callable[[], None]] = []
    reading, writing = os.pipe()
    sink = Sink(writing)
    sink.gather(in_time.append, _never)

    for number in range(5):
        sink.write(b"%d" % number + b"x" * (LIMIT // 2) + b"\n")
    awaited = len(in_time)
    in_time.pop()()
    written = os.read(reading, 1 << 16)
    sink.write(b"line\n")
    in_time.pop()()

    assert awaited == 1
    assert [line[:1] for line in written.splitlines()] == [b"0", b"1", b"2", b"3", b"4"]
    assert os.read(reading, 1 << 16) == b"line\n"
    os.close(reading)
    os.close(writing)


def test_for_a_file_more_is_gathered_but_not_without_end(tmp_path: Path) -> None:
    target = tmp_path / "log"
    with target.open("wb", buffering=0) as file:
        sink = Sink(file.fileno())
        sink.gather(_never, _never)
        line = b"x" * (LIMIT - 1) + b"\n"

        for _ in range(FILE_LIMIT // LIMIT):
            sink.write(line)
        before = target.read_bytes()
        sink.write(line)

        assert before == b""
        assert target.read_bytes() == line * (FILE_LIMIT // LIMIT)


def test_other_threads_wait_for_nothing(tmp_path: Path) -> None:
    target = tmp_path / "log"
    with target.open("wb", buffering=0) as file:
        sink = Sink(file.fileno())
        sink.gather(_never, _never)

        other = threading.Thread(target=sink.write, args=(b"line\n",))
        other.start()
        other.join()

        assert target.read_bytes() == b"line\n"
