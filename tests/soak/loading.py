"""Clients that keep on asking, and tell apart what was refused, lost and never sent."""

import http.client
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection
from types import TracebackType

JSON = {"Content-Type": "application/json"}
BODY = b'{"x":[1,2,0.5]}'


@dataclass(frozen=True)
class Ask:
    """What a client asks again and again.

    Attributes:
        path: that it posts to.
        body: what it sends.
        anew: whether on a new connection each time.
        apart: seconds between the service's part in the handshake and the end of the client's,
            which goes with the request, as over a distance, or where HAProxy saves a segment.
    """

    path: str = "/predict"
    body: bytes = BODY
    anew: bool = False
    apart: float = 0.0


class Connection(HTTPConnection):
    """One whose handshake may take its time."""

    def __init__(self, port: int, apart: float) -> None:
        super().__init__("127.0.0.1", port, timeout=60)
        self._apart = apart

    def connect(self) -> None:
        """Connect."""
        super().connect() if not self._apart else self._connect_apart()

    def _connect_apart(self) -> None:
        self.sock = socket.socket()
        try:
            self.sock.settimeout(self.timeout)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
            self.sock.connect((self.host, self.port))
        except OSError:
            self.close()
            raise
        time.sleep(self._apart)


@dataclass
class Load:
    """Threads that ask while this is entered.

    Attributes:
        port: of the service.
        asks: one of each thread.
        answers: by status; "refused" are connections that were not made.
        lost: when a request was sent that got no answer, by `time.monotonic`, and why.
        slowest: seconds that an answer took at most.
    """

    port: int
    asks: tuple[Ask, ...]
    answers: Counter[str] = field(default_factory=Counter)
    lost: list[tuple[float, str]] = field(default_factory=list)
    slowest: float = 0.0

    def __post_init__(self) -> None:
        """Prepare the threads."""
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(ask,)) for ask in self.asks]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    @property
    def wrong(self) -> int:
        """Answers that are no success."""
        return sum(count for status, count in self.answers.items() if status != "200")

    def _work(self, ask: Ask) -> None:
        connection, answered = Connection(self.port, ask.apart), 0
        while not self._stop.wait(0.001):
            try:
                if connection.sock is None:
                    answered = 0
                    connection.connect()
            except OSError:
                self.answers["refused"] += 1
                self._stop.wait(0.05)
                continue
            begin = time.monotonic()
            try:
                connection.request("POST", ask.path, ask.body, JSON)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.lost.append((begin, f"{type(error).__name__}, answer {answered + 1} there"))
                connection.close()
                continue
            answered += 1
            self.answers[str(answer.status)] += 1
            self.slowest = max(self.slowest, time.monotonic() - begin)
            if ask.anew:
                connection.close()
        connection.close()
