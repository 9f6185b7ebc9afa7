"""A healthy client that asks a few times a second, and remembers what it got and how soon."""

import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from types import TracebackType


@dataclass(frozen=True)
class Seen:
    """One answer: when it was asked for, by `time.monotonic`; how long it took; 0 where none."""

    when: float
    seconds: float
    status: int


class Probe:
    """A thread that asks while this is entered.

    Args:
        port: of the service.
        path: to ask at.
        body: to post; None to get.
        pause: seconds between an answer and the next request.
        anew: whether each request has a connection of its own.
    """

    def __init__(
        self,
        port: int,
        path: str,
        body: bytes | None = None,
        *,
        pause: float = 0.05,
        anew: bool = False,
    ) -> None:
        self._port, self._path, self._body, self._pause = port, path, body, pause
        self._anew = anew
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.seen: list[Seen] = []

    def __enter__(self) -> "Probe":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(60)

    def within(self, begin: float, end: float) -> list[Seen]:
        """What was asked for from one time to another."""
        return [each for each in list(self.seen) if begin <= each.when < end]

    def _work(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._stop.wait(self._pause):
            begin = time.monotonic()
            try:
                status = self._ask(connection)
            except (OSError, HTTPException):
                status = 0
            self.seen.append(Seen(begin, time.monotonic() - begin, status))
            if self._anew or status == 0:
                connection.close()
        connection.close()

    def _ask(self, connection: HTTPConnection) -> int:
        headers = {"Content-Type": "application/json"} if self._body else {}
        connection.request("POST" if self._body else "GET", self._path, self._body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
