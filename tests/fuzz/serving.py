"""The service as a whole, from the bytes of a connection to the bytes of its answers.

Everything is real but the socket and the event loop's threads: what would be answered in a thread
is answered in turn.
"""

import asyncio
import atexit
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from math import inf
from typing import Any

from app import create_app
from app.config import Config
from app.http.fast import Unfinished
from app.worker.budget import Budget
from app.worker.connection import Connection
from app.worker.doorstep import Doorstep
from app.worker.ends import Ends
from app.worker.heads import Environ, Head
from app.worker.pool import Bounds
from app.worker.responding import Responder
from app.worker.server import Limits, Timed
from app.worker.shares import Shares
from app.worker.turn import Turn
from tests.fuzz import bodies, inflating
from tests.fuzz.cutting import LIMITS
from tests.fuzz.places import place
from tests.support.framing import REFUSED, TAKEN
from tests.support.hostile import PATHS, TYPES
from tests.support.models import MIXED, PLAIN, SINGLE, publish
from tests.support.raw import Answer, headed, parsed, post

MAX_BODY = 4096
MAX_SEED = 3000
HERE, THERE = ("127.0.0.1", 8000), ("127.0.0.1", 40000)
SETTINGS = {
    "ORDINATE_REFRESH": "0",
    "ORDINATE_ACCESS_LOG": "off",
    "ORDINATE_LOG_LEVEL": "error",
    "ORDINATE_MAX_BODY_BYTES": str(MAX_BODY),
    "ORDINATE_MAX_ROWS": "20",
}
FOLLOWING = post(b'{"x":[1,2,0.5]}', "X-Request-Id: following")


def seeds() -> Iterator[bytes]:
    """Raw requests, and each body that is worth a look in a good request."""
    raw = [each.sent for each in (*TAKEN.values(), *REFUSED.values())]
    raw += [headed(f"{c.method} {c.target} HTTP/1.1", "Host: x") for c in PATHS]
    for case in TYPES:
        if len(case.body) < MAX_SEED:
            lines = [f"{name}: {value}" for name, value in case.headers.items()]
            length = f"Content-Length: {len(case.body)}"
            raw.append(headed("POST /predict HTTP/1.1", "Host: x", *lines, length, body=case.body))
    raw += [post(body) for body in bodies.seeds()]
    raw += [post(body, "Content-Encoding: gzip") for body in inflating.seeds()]
    raw += [headed(f"GET {path} HTTP/1.1", "Host: x") for path in ("/", "/models", "/models/tiny")]
    yield from (each for each in raw if len(each) < MAX_SEED)


def check(data: bytes) -> None:
    """Ask as a whole and in two pieces; each time a good request follows."""
    data = data.replace(b"HEAD", b"PUT")  # its answers cannot be told from each other
    data = data.replace(b"following", b"before")
    split = 1 + sum(data[-2:]) % (len(data) or 1)
    whole, pieces = ask([data, FOLLOWING]), ask([data[:split], data[split:], FOLLOWING])
    assert [each.status for each in whole] == [each.status for each in pieces]
    judge(whole)


def judge(whole: list[Answer]) -> None:
    """Whether these may be all answers on a connection whose last request has FOLLOWING's id."""
    assert all(each.status < 500 or each.status == 501 for each in whole)
    for each in whole:
        if each.status >= 400 and each.body:
            assert set(each.json) == {"error", "details"}
    closed = [each.headers.get("Connection") == "close" for each in whole]
    assert True not in closed[:-1], "it answers behind the last answer"
    ids = [each.headers.get("X-Request-Id") for each in whole]
    assert "following" not in ids[:-1], "it answers what was not asked yet"


def ask(pieces: list[bytes]) -> list[Answer]:
    """The answers to what arrives in these pieces."""
    server = _server()
    transport = Socket()
    with connected(server, transport) as connection:
        for piece in pieces:
            connection.data_received(piece)
            server.work()
    answers = parsed(bytes(transport.sent))
    return [answer for answer in answers if answer.status != 100]


@contextmanager
def connected(process: "Process", client: "Socket") -> Iterator[Connection]:
    """A connection to this client, which hangs up at the end."""
    made = Connection(process, process.loop)
    made.connection_made(client)
    yield made
    made.connection_lost(None)


class Socket(asyncio.Transport):
    """The client's end: it takes everything at once and keeps it."""

    def __init__(self) -> None:
        super().__init__({"socket": self, "peername": THERE})
        self.sent = bytearray()

    def write(self, data: Any) -> None:
        self.sent += data

    def getsockname(self) -> tuple[str, int]:
        return HERE

    def can_write_eof(self) -> bool:
        return True

    def _nothing(self, *_: Any, **__: Any) -> None:
        """Closing, pausing and the like change nothing that is looked at."""

    write_eof = close = abort = pause_reading = resume_reading = _nothing


class InTurn(Responder):
    """Answers one request after the other, without threads."""

    def __init__(self, application: Any, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(application, Bounds(1, 1, 30, 30), Budget(1 << 24), loop)
        self.waiting: list[Callable[[], None]] = []

    def later(
        self,
        head: Head,
        ends: Ends,
        body: bytes,
        keep_alive: bool,
        then: Callable[[bytes], None],
        unfinished: Unfinished | None = None,
    ) -> bytes | None:
        begun = unfinished or Unfinished(time.perf_counter())
        asked = (head, ends, body, keep_alive, lambda: True, begun)
        self.waiting.append(lambda: then(self._answer(*asked)))
        return None


class Late(Turn):
    """A turn that ends when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.sending: list[Callable[[], None]] = []

    def send_soon(self, send: Callable[[], None]) -> None:
        self.sending.append(send)


class Process:
    """What a connection asks of its process."""

    def __init__(self, application: Any) -> None:
        self.late = Late()
        self.turn: Turn = self.late
        self.loop = asyncio.SelectorEventLoop(self.turn)
        atexit.register(self.loop.close)
        self.in_turn = InTurn(application, self.loop)
        self.responder: Responder = self.in_turn
        self.limits = Limits(30, 30, 30, 2, MAX_BODY, 1 << 20, LIMITS)
        self.keeps_alive, self.stopping_since = True, inf
        self.environ: Environ = {"wsgi.url_scheme": "http", "wsgi.input_terminated": True}
        self.connections: set[Timed] = set()
        self.share = Shares().claim()
        self.doorstep = Doorstep(self.loop, lambda _: None)

    def make_room(self) -> bool:
        return False

    def join(self, connection: Timed) -> None:
        self.connections.add(connection)

    def leave(self, connection: Timed) -> None:
        self.connections.discard(connection)

    def work(self) -> None:
        """Do all that is to be done, as the event loop would turn by turn."""
        while self.in_turn.waiting or self.late.sending or self._turn():
            todo = self.in_turn.waiting + self.late.sending
            self.in_turn.waiting, self.late.sending = [], []
            for each in todo:
                each()

    def _turn(self) -> bool:
        """Let the loop have a turn; whether that led to more."""
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()
        return bool(self.in_turn.waiting or self.late.sending)


@cache
def _server() -> Process:
    models = place("models")
    for name, schema in (("tiny", PLAIN), ("mixed", MIXED), ("single", SINGLE)):
        publish(models, name, schema, linear=True)
    settings = {"ORDINATE_MODELS": str(models), "ORDINATE_MODEL": "tiny", **SETTINGS}
    return Process(create_app(Config.from_env(settings)))
