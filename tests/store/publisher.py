"""A program that writes to a models folder, and dies or fails to order.

It publishes once more what version 1 of a model holds, or activates, rolls back, labels or prunes.

It is started by `tests.store.processes`, and imports nothing but the store. Each line on stdin is
an order, a JSON object; for each it forks, so that many deaths cost one start. Answers are lines on
stdout: the child's id, what came of it, and how it ended.
"""

import errno
import io
import json
import os
import signal
import sys
import types
from functools import cache
from pathlib import Path
from typing import Any

# The package itself would import Flask and all that serves.
package = types.ModuleType("app")
package.__path__ = [str(Path(__file__).parents[2] / "app")]
sys.modules["app"] = package

from app.errors import StoreError  # noqa: E402
from app.signing import Keys, read_signer  # noqa: E402
from app.store import Keeper, Reader  # noqa: E402

REFUSED = 3


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        keys = keys_of(order["key"])  # the library behind them is loaded once, not by each child
        gate, opener = os.pipe()
        child = os.fork()
        if child == 0:
            os._exit(publish(order, keys, gate))
        if order["held"]:
            sys.stdin.readline()
        os.write(opener, b".")
        _, status = os.waitpid(child, 0)
        os.close(gate)
        os.close(opener)
        say(code=os.waitstatus_to_exitcode(status))


@cache
def keys_of(file: str | None) -> Keys:
    return Keys(signer=read_signer(Path(file)) if file else None)


def publish(order: dict[str, Any], keys: Keys, gate: int) -> int:
    """Publish as often as ordered. Returns the exit code."""
    store = Keeper(Path(order["root"]), keys)
    source = Reader(Path(order["source"])).open("tiny", 1)
    say(pid=os.getpid())
    os.read(gate, 1)
    stop = Stop(order["at"], order["error"])
    try:
        for _ in range(order["times"]):
            sys.setprofile(stop if stop.left else None)
            if order["action"]:
                getattr(store, order["action"][0])("tiny", *order["action"][1:])
                made = None
            else:
                made = store.publish("tiny", source.manifest.description, source.files).version
            sys.setprofile(None)
            say(**({} if made is None else {"published": made}), reached=stop.left <= 0)
    except StoreError as error:
        sys.setprofile(None)
        say(refused=error.message)
        return REFUSED
    return 0


class Stop:
    """Dies before the n-th call into the system, from 1, or makes it fail with an error.

    It is a profiling function, which the interpreter calls before each call of a built-in one.
    """

    def __init__(self, at: int, error: str | None) -> None:
        self.left = at
        self.error = error

    def __call__(self, _frame: types.FrameType, event: str, called: Any) -> None:
        if event != "c_call" or not touches_the_system(called):
            return
        self.left -= 1
        if self.left == 0 and self.error is None:
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.left == 0:
            number = getattr(errno, self.error or "")
            raise OSError(number, os.strerror(number))


def touches_the_system(called: Any) -> bool:
    of = getattr(called, "__self__", None)
    if isinstance(of, types.ModuleType):
        return of.__name__ in ("posix", "fcntl", "_io") and called.__name__ != "fspath"
    return isinstance(of, io.FileIO)


def say(**what: Any) -> None:
    """Answer, by a call that no test tampers with."""
    os.writev(1, [json.dumps(what).encode(), b"\n"])


if __name__ == "__main__":
    main()
