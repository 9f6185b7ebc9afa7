"""A signal that comes before a new process can take it is not lost."""

import subprocess
import sys

SCRIPT = """
import os, signal, sys
from app.worker.fork_signals import ForkSignals

signal.signal(signal.SIGTERM, lambda *_: None)  # the parent's, which does nothing in a child
kept = ForkSignals()
go, told = os.pipe(), os.pipe()
if sys.argv[1] == "announced":
    kept.announce()
child = os.fork()
if child == 0:
    os.read(go[0], 1)  # by now the signal is here
    signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
    kept.over()
    os._exit(1)
os.kill(child, signal.SIGTERM)
os.write(go[1], b"x")
_, status = os.waitpid(child, 0)
held = signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, ())
print(os.waitstatus_to_exitcode(status), held)
"""


def run(kind: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, kind],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return done.stdout.strip()


def test_a_signal_to_a_worker_that_is_being_born_is_kept() -> None:
    assert run("announced") == "7 False"


def test_other_children_are_left_alone() -> None:
    assert run("other") == "1 False"
