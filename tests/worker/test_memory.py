"""A worker gives memory back after large requests."""

import subprocess
import sys
import threading

import pytest

from app.worker.memory import Idleness
from tests.support.threads import no_more_threads

LARGE = """
import threading
from app.worker.memory import give_back

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6

kept = []

def work():
    for size in (9 << 20, 3 << 20, 6 << 20, 2 << 20):
        blocks = [bytearray(size) for _ in range(4)]
        kept.append(bytes(600))  # lies above them, if they lie in a heap
        del blocks

print(give_back())
before = resident()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(resident() - before)
"""


def megabytes(script: str) -> float:
    """What a script prints behind whether freed memory can be given back here."""
    if sys.platform != "linux":
        pytest.skip("only glibc is told")
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    arranged, found = done.stdout.split()
    if arranged != "True":
        pytest.skip("the C library is not glibc")
    return float(found)


def test_what_large_requests_took_is_given_back() -> None:
    assert megabytes(LARGE) < 40


IDLE = """
import threading, time
from app.worker.memory import Idleness, give_back

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6

print(give_back())
blocks = [bytearray(3000) for _ in range(30_000)]
last = bytearray(3000)
del blocks
held = resident()
idleness = Idleness()
idleness.check(False)
assert threading.active_count() == 1  # nothing was done
idleness.check(True)
assert threading.active_count() == 1  # it was done just now
idleness.check(False)
for thread in threading.enumerate():
    if thread.name == "trim":
        thread.join()
print(held - resident())
"""


def test_what_many_small_requests_took_is_given_back_when_there_are_none() -> None:
    assert megabytes(IDLE) > 50


def test_without_a_thread_that_is_left_to_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    trimmed = threading.Event()
    monkeypatch.setattr("app.worker.memory._function", lambda _: lambda _: trimmed.set())
    idleness = Idleness()
    idleness.check(True)

    with no_more_threads():
        idleness.check(False)
    before = trimmed.is_set()
    idleness.check(False)

    assert not before
    assert trimmed.wait(20)
