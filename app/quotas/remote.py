"""Token buckets in Redis, which several machines draw from.

A request waits for Redis for a tenth of a second at most, whatever happens there. When it fails,
all requests go on with the buckets of this machine at once, and a thread asks it once a second
until it answers again as it should.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import Any

from app.quotas.script import SCRIPT, looking
from app.threads import started

ANSWER_SECONDS = 0.1
PROBE_SECONDS = 1.0

Arguments = Sequence[str | int]
Asked = tuple[Sequence[str], Arguments]
_Job = tuple["Future[list[int]]", Asked]

PROBE: Asked = (("ordinate:probe",), (1, 1000, 1, 1_000_000, 1_000_000))
"""A bucket that is never empty, so that something is written: a Redis that is full or read-only
must not pass for one that works."""


class StrangeAnswer(Exception):
    """Redis answers, and not as the script does."""


class Connection:
    """One connection, for one thread. Whatever it does may raise anything.

    Args:
        make: makes a client of the library.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._client = make()
        self._script = self._client.register_script(SCRIPT)

    def ask(self, asked: Asked) -> list[int]:
        """Run the script."""
        names, arguments = asked
        # What cannot be encoded is not Redis's fault: no name of a bucket may lose it for all.
        keys = [name.encode("utf-8", "surrogatepass") for name in names]
        found: Any = self._script(keys, arguments)
        if not isinstance(found, list) or len(found) != len(keys) + 1:
            raise StrangeAnswer
        if not all(isinstance(each, int) and abs(each) < 1 << 53 for each in found):
            raise StrangeAnswer
        return found

    def close(self) -> None:
        """Give the connection up."""
        self._client.close()


class Link:
    """A Redis that is taken to work: some threads, each with a connection of its own.

    Args:
        make: makes a client of the library.
        threads: requests that may ask it at a time.
        seconds: that each waits.
    """

    def __init__(self, make: Callable[[], Any], threads: int, seconds: float) -> None:
        self._make, self._seconds = make, seconds
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        # Daemons: one that hangs in a look-up must not keep the process from ending. Where the
        # system has no thread to spare, asking takes too long, and what comes of that is the same.
        self._count = sum(started(self._work, "quotas") is not None for _ in range(threads))

    def ask(self, asked: Asked) -> list[int]:
        """Have a thread ask. Raises TimeoutError, and anything else that went wrong there."""
        future: Future[list[int]] = Future()
        self._jobs.put((future, asked))
        return future.result(self._seconds)

    def close(self) -> None:
        """End the threads."""
        for _ in range(self._count):
            self._jobs.put(None)

    def _work(self) -> None:
        connection: Connection | None = None
        while job := self._jobs.get():
            future, asked = job
            try:
                connection = connection or Connection(self._make)
                future.set_result(connection.ask(asked))
            except Exception as error:  # noqa: BLE001 - the request goes on, whatever it is
                future.set_exception(error)
        if connection is not None:
            connection.close()


class Remote:
    """Redis, or nothing while it does not work.

    Args:
        url: where it is.
        threads: requests that may ask it at a time.
        changed: told when it is lost, with the error, and found again, with None.
        probe_seconds: between two tries to find it again.
        seconds: that a request waits for it, with the look-up of its name and whatever else a
            library may wait for; half of that for connecting, and for each part of an answer.
    """

    def __init__(
        self,
        url: str,
        threads: int,
        changed: Callable[[Exception | None], None],
        probe_seconds: float = PROBE_SECONDS,
        seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._threads, self._changed = threads, changed
        self._probe_seconds, self._seconds = probe_seconds, seconds
        self._make = _maker(url, seconds / 2)
        self._lock = threading.Lock()
        self._link: Link | None = None  # made by the process that uses it, after it was forked
        self._failed: Asked = PROBE  # what it was lost over
        self._is_lost = self._is_sought = self._is_closed = False

    def ask(self, asked: Asked) -> list[int] | None:
        """What the script answers; None where Redis does not."""
        if self._is_lost and not self._is_sought:
            self._seek()
        link = None if self._is_lost else self._link or self._make_link()
        if link is None:
            return None
        try:
            return link.ask(asked)
        except Exception as error:  # noqa: BLE001 - a library may raise anything
            self._lose(link, asked, error)
            return None

    def close(self) -> None:
        """Ask it no more, and look for it no more."""
        with self._lock:
            link, self._link, self._is_lost, self._is_closed = self._link, None, True, True
        if link is not None:
            link.close()

    def _make_link(self) -> Link | None:
        with self._lock:
            if self._is_lost:  # meanwhile
                return None
            self._link = self._link or Link(self._make, self._threads, self._seconds)
            return self._link

    def _lose(self, link: Link, asked: Asked, error: Exception) -> None:
        with self._lock:
            if self._link is not link:  # others were faster
                return
            self._link, self._is_lost, self._failed = None, True, asked
        link.close()
        self._changed(error)
        self._seek()

    def _seek(self) -> None:
        """Have a thread look for it; where the system has none to spare, a later request does."""
        with self._lock:
            if self._is_lost and not (self._is_sought or self._is_closed):
                self._is_sought = started(self._probe, "quotas-probe") is not None

    def _probe(self) -> None:
        # A cluster, or a bucket that is something else, fails what was asked and not the probe:
        # without another look at that it would be found and lost again every second.
        names, given = self._failed
        while not self._is_closed:
            time.sleep(self._probe_seconds)
            connection = None
            try:
                connection = Connection(self._make)
                connection.ask(PROBE)
                connection.ask((names, looking(given)))
            except Exception:  # noqa: BLE001, S112 - it was told when this began
                continue
            finally:
                if connection is not None:
                    connection.close()
            with self._lock:
                self._is_lost, self._is_sought = self._is_closed, False
            self._changed(None)
            return


def _maker(url: str, socket_seconds: float) -> Callable[[], Any]:
    """What makes clients of the library, each with one connection."""
    # Late, because most services need none of it; and before the workers fork, which share it.
    from redis import Redis  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    return partial(
        Redis.from_url,
        url,
        socket_timeout=socket_seconds,
        socket_connect_timeout=socket_seconds,
        retry=Retry(NoBackoff(), 0),  # its own would be tried for seconds
        protocol=2,  # what every Redis speaks, without a greeting of its own
        driver_info=None,
    )
