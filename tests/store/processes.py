"""Real processes that publish, and the system calls at which they are made to die or fail."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

PROGRAM = Path(__file__).with_name("publisher.py")
KILLED = -9
REFUSED = 3

CALLS = (
    "openat,write,fsync,flock,close,mkdir,mkdirat,rename,renameat,renameat2,"
    "unlink,unlinkat,rmdir,getdents64"
)
"""What can change a folder, and what can fail on the way."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a publisher ended.

    Attributes:
        code: its exit code, -9 when killed.
        published: the versions that it made.
        refused: the message of the StoreError that ended it.
        reached: whether it came to the call that it was to stop at.
    """

    code: int
    published: list[int]
    refused: str | None
    reached: bool


class Publisher:
    """A process that publishes to order, one order at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=20)

    def publish(self, root: Path, source: Path, **order: Any) -> Outcome:
        """Publish `tiny` and wait for the end; for the order see `begin`."""
        self.begin(root, source, **order)
        return self.end()

    def begin(
        self,
        root: Path,
        source: Path,
        *,
        times: int = 1,
        at: int = 0,
        error: str | None = None,
        held: bool = False,
        key: str | None = None,
        action: Sequence[Any] = (),
    ) -> int:
        """Start to publish `tiny`; `held`, it waits for `release`. Gives the id of the process.

        An `action` is done instead: the name of a method of `Keeper`, and its further arguments.

        Args:
            root: the models folder to write to.
            source: one with a version 1 of `tiny`, which is what is published.
            times: how many versions.
            at: which of its calls into the system is to stop it, from 1; 0 for none.
            error: name of the error that this call raises; None to be killed there.
            held: whether to wait.
            key: file of the private key to sign with.
            action: what to do instead of publishing, such as ``("set_label", "canary", 1)``.
        """
        order = {"root": str(root), "source": str(source), "times": times, "key": key}
        order |= {"at": at, "error": error, "held": held, "action": list(action)}
        self._send(json.dumps(order))
        return int(self._receive()["pid"])

    def release(self) -> None:
        self._send("go")

    def end(self) -> Outcome:
        """Wait until it ends, in whatever way."""
        published: list[int] = []
        refused, reached = None, True
        while "code" not in (said := self._receive()):
            published += [said["published"]] if "published" in said else []
            refused = said.get("refused", refused)
            reached = said.get("reached", reached)
        return Outcome(said["code"], published, refused, reached)

    def publish_traced(
        self, root: Path, source: Path, log: Path, rule: str = "", **order: Any
    ) -> Outcome:
        """The same under strace, which logs `CALLS` and tampers with one of them by this rule."""
        pid = self.begin(root, source, held=True, **order)
        rules = [f"--inject={rule}"] if rule else []
        with subprocess.Popen(
            ["strace", "-p", str(pid), "-o", str(log), f"--trace={CALLS}", *rules],
            stderr=subprocess.PIPE,
            text=True,
        ) as tracer:
            assert tracer.stderr is not None
            attached = "attached" in tracer.stderr.readline()
            self.release()
            outcome = self.end()
            tracer.communicate(timeout=20)
        assert attached
        return outcome

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


def calls_in(log: Path) -> Counter[str]:
    """How often each system call stands in a log of strace."""
    return Counter(re.findall(r"^(\w+)\(", log.read_text(), re.MULTILINE))


def can_trace() -> bool:
    """Whether strace is installed and may trace here."""
    program = shutil.which("strace")
    if program is None:
        return False
    found = subprocess.run(
        [program, "-o", os.devnull, "true"], capture_output=True, check=False, timeout=20
    )
    return found.returncode == 0
