"""Large bodies wait with their clients while threads have enough to do, on a real server."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.worker.line import AHEAD
from tests.support.certificates import Certificates
from tests.support.faulty import FAULTY
from tests.support.raw import Wire, ask, headed, post
from tests.support.server import Server

SIZE = 100_000
BODY = b" " * SIZE


@dataclass
class Crowd:
    """A service with one thread, which is held until a file is there.

    Attributes:
        server: the service.
        gate: the file.
        inside: clients whose bodies it has taken.
        waiting: those that stand in line, who have asked whether they may send.
    """

    server: Server
    gate: Path
    stack: ExitStack
    inside: list[Wire] = field(default_factory=list)
    waiting: list[Wire] = field(default_factory=list)

    def head(self, *headers: str) -> bytes:
        """Of a request that takes the thread until the gate is open."""
        first = f"POST /faults/hold?gate={self.gate} HTTP/1.1"
        return headed(first, "Host: x", f"Content-Length: {SIZE}", *headers)

    def fill(self) -> None:
        """Send large bodies until the next one has to wait."""
        while not self.waiting:
            wire = self.ask()
            if wire.hears():
                assert wire.answer().status == 100
                wire.send(BODY)
                self.inside.append(wire)
            else:
                self.waiting.append(wire)

    def ask(self) -> Wire:
        """A client that asks whether it may send its body."""
        wire = self.stack.enter_context(Wire(self.server))
        wire.send(self.head("Expect: 100-continue"))
        return wire

    def open(self) -> None:
        """Let the thread go on."""
        self.gate.touch()


def crowded(
    models: Path,
    tmp_path: Path,
    stack: ExitStack,
    tls: ssl.SSLContext | None = None,
    **settings: str,
) -> Crowd:
    """A service that is full of large bodies, and one client who has to wait."""
    one = {"ORDINATE_WORKERS": "1", "ORDINATE_THREADS": "1"}
    server = stack.enter_context(Server(models, (), tls, FAULTY, **one | settings))
    crowd = Crowd(server, tmp_path / "gate", stack)
    crowd.fill()
    return crowd


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
def test_who_has_to_wait_is_told_to_send_when_there_is_room(
    linear_models: Path, tmp_path: Path, stack: ExitStack, encrypted: bool
) -> None:
    settings, tls = {"ORDINATE_QUEUE_SECONDS": "60"}, None
    if encrypted:
        certificates = Certificates(tmp_path)
        settings, tls = certificates.settings(**settings), certificates.trusting()
    crowd = crowded(linear_models, tmp_path, stack, tls, **settings)
    assert AHEAD <= len(crowd.inside) < 2 * AHEAD
    (first,) = crowd.waiting
    gone, last = crowd.ask(), crowd.ask()
    assert not last.hears()
    assert ask(crowd.server, post()).status == 200  # nobody else has to wait
    gone.close()

    crowd.open()

    assert [wire.answer().status for wire in crowd.inside] == [200] * len(crowd.inside)
    for wire in (first, last):
        assert wire.answer().status == 100
        wire.send(BODY)
        assert wire.answer().status == 200
        wire.send(crowd.head() + BODY)  # and its connection goes on
        assert wire.answer().status == 200


def test_a_body_that_nobody_asked_for_stays_with_its_client(
    linear_models: Path, tmp_path: Path, stack: ExitStack
) -> None:
    """It sends unasked, as most do; the system takes no more than it can keep itself."""
    crowd = crowded(linear_models, tmp_path, stack, ORDINATE_QUEUE_SECONDS="60")
    size = 16_000_000
    wire = stack.enter_context(Wire(crowd.server))
    sender = threading.Thread(target=wire.send, args=(post(b" " * size, target="/models"),))
    sender.start()
    sender.join(0.5)
    assert sender.is_alive()

    crowd.open()

    sender.join(20)
    assert not sender.is_alive()
    assert wire.answer().status == 405


def test_bodies_that_do_not_come_keep_nobody_out(linear_models: Path) -> None:
    whole = post(b" " * 400_000 + b'{"x":[1,2,0.5]}')
    with Server(linear_models, ORDINATE_WORKERS="1") as server, ExitStack() as stack:
        for _ in range(3 * AHEAD):
            stack.enter_context(Wire(server)).send(whole[:1000])

        assert [ask(server, whole).status for _ in range(20)] == [200] * 20


def test_who_waits_when_the_service_stops_is_answered(
    linear_models: Path, tmp_path: Path, stack: ExitStack
) -> None:
    crowd = crowded(linear_models, tmp_path, stack, ORDINATE_QUEUE_SECONDS="60")
    idle = stack.enter_context(Wire(crowd.server))
    idle.send(post())
    assert idle.answer().status == 200
    crowd.server.process.terminate()
    assert not idle.answers()  # it is closed, so the worker knows that it is to stop

    crowd.open()

    (first,) = crowd.waiting
    assert first.answer().status == 100
    first.send(BODY)
    answer = first.answer()
    assert (answer.status, answer.headers["Connection"]) == (200, "close")
    assert crowd.server.stop() == 0


def test_whose_time_does_not_come_is_refused(
    linear_models: Path, tmp_path: Path, stack: ExitStack
) -> None:
    crowd = crowded(linear_models, tmp_path, stack, ORDINATE_QUEUE_SECONDS="1")
    (first,) = crowd.waiting

    refused = first.answer()

    assert refused.status == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.headers["Connection"] == "close"
    crowd.open()
    assert [wire.answer().status for wire in crowd.inside] == [200] * len(crowd.inside)
    crowd.server.wait_for(lambda: any('"status":503' in line for line in crowd.server.out))


def test_who_waits_at_the_end_of_the_grace_is_refused(
    linear_models: Path, tmp_path: Path, stack: ExitStack
) -> None:
    settings = {"ORDINATE_QUEUE_SECONDS": "60", "ORDINATE_GRACE": "2"}
    crowd = crowded(linear_models, tmp_path, stack, None, **settings)

    crowd.server.process.terminate()

    (first,) = crowd.waiting
    assert first.answer().status == 503
    assert {wire.answer().status for wire in crowd.inside} == {503}
