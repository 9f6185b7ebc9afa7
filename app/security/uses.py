"""When each key was last used: kept in memory, written out beside the requests."""

import atexit
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import orjson

from app.files import locked, reason
from app.security.followed import Tell
from app.security.records import LAST_SECOND
from app.security.storing import read_small, replace_private
from app.threads import started

WRITE_SECONDS = 60.0
SUFFIX = ".used"

_LOCK_SECONDS = 2.0
_MAX_BYTES = 1 << 22
_DATES = range(LAST_SECOND + 1)


def places(keys: Path, state: Path | None) -> tuple[Path, ...]:
    """Files in which it may be kept, the best first: beside the keys, or in ORDINATE_STATE."""
    name = keys.name + SUFFIX
    return (keys.with_name(name), *(() if state is None else (state / name,)))


def read(files: Sequence[Path]) -> dict[str, int]:
    """Unix time of the last use by id of the key, as far as any of these files tells."""
    found: dict[str, int] = {}
    for path in files:
        for key, second in _content(path).items():
            found[key] = max(second, found.get(key, 0))
    return found


def unreadable(files: Sequence[Path]) -> dict[Path, str]:
    """Which of these files may tell more, to others, and why they cannot be read."""
    found = {}
    for path in files:
        try:
            read_small(path, _MAX_BYTES)
        except FileNotFoundError:
            continue
        except OSError as error:
            found[path] = reason(error)
    return found


class Uses:
    """The last uses that a process has seen, and those that all have written down.

    A thread writes them once a minute if there are new ones, and once at the end. Where neither
    place can be written to, that is told once and they are not kept.

    Args:
        files: as `places` gives them.
        known: tells the ids of all keys; those of others are forgotten.
        tell: of what goes wrong.
    """

    def __init__(
        self, files: Sequence[Path], known: Callable[[], Collection[str]], tell: Tell
    ) -> None:
        self._files, self._known, self._tell = tuple(files), known, tell
        self._seen: dict[str, float] = {}
        self._written: dict[str, float] = {}
        self._process: int | None = None
        self._lock = threading.Lock()
        self._told = False

    def note(self, key: str, now: float) -> None:
        """Remember that a key was used at this Unix time. Takes well under a microsecond."""
        self._seen[key] = now
        if self._process != os.getpid():
            self._start()

    def last(self) -> dict[str, int]:
        """Unix time of the last use by id of the key."""
        found = read(self._files)
        for key, second in self._seen.copy().items():
            found[key] = max(int(second), found.get(key, 0))
        return found

    def write(self) -> None:
        """Write down what is new. Never raises."""
        with self._lock:
            seen = self._seen.copy()
            if seen == self._written or not self._files:
                return
            problem = ""
            for path in self._files:
                try:
                    self._merge(path, seen)
                except OSError as error:
                    problem = problem or f"{path} cannot be written: {reason(error)}"
                    continue
                self._written = seen
                return
            if not self._told:
                self._told = True
                self._tell("warning", f"{problem}; when keys were last used is not kept")

    def _merge(self, path: Path, seen: Mapping[str, float]) -> None:
        with locked(path.parent, _LOCK_SECONDS):
            merged = _content(path)
            for key, second in seen.items():
                merged[key] = max(int(second), merged.get(key, 0))
            kept = {key: merged[key] for key in sorted(merged.keys() & set(self._known()))}
            data = orjson.dumps(kept, option=orjson.OPT_APPEND_NEWLINE)
            # Who looks after the keys is to see when they were used.
            replace_private(path, data, like=self._files[0].with_suffix(""))

    def _start(self) -> None:
        """Write from time to time in this process; threads do not survive a fork."""
        with self._lock:
            if self._process != os.getpid() and started(self._keep_writing, "uses"):
                self._process = os.getpid()
                atexit.register(self.write)

    def _keep_writing(self) -> None:
        while True:
            time.sleep(WRITE_SECONDS)
            self.write()


def _content(path: Path) -> dict[str, int]:
    """What a file says; nothing where it is not there or damaged, since it is no great loss."""
    try:
        found = orjson.loads(read_small(path, _MAX_BYTES))
        seconds = {str(key): int(second) for key, second in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    return {key: second for key, second in seconds.items() if second in _DATES}
