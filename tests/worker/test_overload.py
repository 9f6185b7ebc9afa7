"""More than can be done: who is refused, how soon, and that nobody else notices."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.faulty import FAULTY
from tests.support.raw import Answer, Wire, ask, chunked, headed, post
from tests.support.server import Server

NOT_PLAIN = "Accept: application/json, text/plain"


@pytest.fixture
def narrow(linear_models: Path) -> Iterator[Server]:
    """One worker with one thread, and two places in its queue."""
    settings = {"ORDINATE_WORKERS": "1", "ORDINATE_THREADS": "1", "ORDINATE_QUEUE": "2"}
    with Server(
        linear_models, (), None, FAULTY, ORDINATE_QUEUE_SECONDS="60", **settings
    ) as running:
        yield running


def fault(kind: str, length: int = 0) -> bytes:
    return headed(f"POST /faults/{kind} HTTP/1.1", "Host: x", f"Content-Length: {length}")


def is_busy(answer: Answer) -> bool:
    return answer.status == 503 and int(answer.headers["Retry-After"]) > 0


def counted(server: Server, series: str) -> float:
    lines = server.get("/metrics").splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(series))


def test_beyond_the_queue_requests_are_refused_at_once_and_nobody_else_is(
    narrow: Server, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    with ExitStack() as stack:
        held = [stack.enter_context(Wire(narrow)) for _ in range(3)]
        for wire in held:
            wire.send(fault(f"hold?gate={gate}"))
        narrow.wait_for(lambda: counted(narrow, "ordinate_queue_seconds_count") == 1)
        narrow.wait_for(lambda: is_busy(ask(narrow, fault(f"hold?gate={gate}", 5))))

        whole = ask(narrow, fault(f"hold?gate={gate}"))
        row = ask(narrow, post())
        states = [ask(narrow, headed(f"GET {path} HTTP/1.1", "Host: x")).status for path in STATES]
        refused = counted(narrow, 'ordinate_rejected_total{reason="overloaded"}')
        gate.touch()
        answers = [wire.answer().status for wire in held]

    assert is_busy(whole)
    assert whole.headers["Connection"] == "keep-alive"
    assert row.status == 200
    assert states == [200, 200, 200]
    assert refused >= 2
    assert answers == [200, 200, 200]
    assert ask(narrow, fault(f"hold?gate={gate}")).status == 200


STATES = ("/healthz", "/readyz", "/models")


def test_a_body_is_not_waited_for_where_it_will_be_refused(narrow: Server, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(Wire(narrow)).send(fault(f"hold?gate={gate}"))
        narrow.wait_for(lambda: is_busy(ask(narrow, fault(f"hold?gate={gate}", 5))))

        with Wire(narrow) as quick, Wire(narrow) as other:
            quick.send(post()[:-1])  # for the event loop, where nothing waits
            other.send(post(b"{}", NOT_PLAIN)[:-1])
            answer = other.answer()
            quick.send(post()[-1:])
            answered = quick.answer()
        gate.touch()

    assert is_busy(answer)
    assert answer.headers["Connection"] == "close"
    assert answered.status == 200


def test_large_bodies_are_refused_while_too_much_is_held(linear_models: Path) -> None:
    settings = {"ORDINATE_WORKERS": "1", "ORDINATE_MAX_PENDING_BYTES": "1"}
    size = 1_000_000
    with Server(linear_models, ORDINATE_MAX_BODY_BYTES=str(size), **settings) as server:
        whole = post(b" " * (size - 20) + b'{"x":[1,2,0.5]}     ')
        with Wire(server) as first, Wire(server) as second, Wire(server) as third:
            first.send(whole[: size * 9 // 10])
            server.wait_for(lambda: is_refused_by_its_head(server, post(b" " * (size // 2))))
            second.send(chunked_head() + chunked(b" " * (size // 2))[:-5])
            refused = second.answer()
            small = ask(server, post())
            third.send(post(b"  " * 30_000)[:-1])  # small enough never to matter
            first.send(whole[size * 9 // 10 :])
            answered = first.answer()
            third.send(b" ")
            empty = third.answer()
        again = ask(server, whole)

    assert is_busy(refused)
    assert small.status == 200
    assert answered.status == again.status == 200
    assert empty.status == 400


def test_while_large_bodies_are_refused_new_clients_are_looked_at_before_they_come_in(
    linear_models: Path,
) -> None:
    settings = {"ORDINATE_WORKERS": "1", "ORDINATE_MAX_PENDING_BYTES": "1"}
    size = 8_000_000
    whole = post(b" " * (size - 20) + b'{"x":[1,2,0.5]}     ')
    with Server(linear_models, ORDINATE_MAX_BODY_BYTES=str(size), **settings) as server:
        with Wire(server) as first, ExitStack() as stack:
            first.send(whole[: size * 9 // 10])
            server.wait_for(lambda: is_refused_by_its_head(server, whole))
            silent = stack.enter_context(Wire(server))
            refused = [ask(server, whole) for _ in range(5)]  # sent to the end, then read
            patient = stack.enter_context(Wire(server))
            patient.send(whole[:100_000])
            told = patient.answer()
            small, healthy = ask(server, post()), ask(server, STATE)
            silent.send(post())
            heard = silent.answer()
            first.send(whole[size * 9 // 10 :])
            answered = first.answer()
        server.wait_for(lambda: ask(server, whole).status == 200)
        log = server.log

    assert all(map(is_busy, [*refused, told]))
    assert {each.headers["Connection"] for each in refused} == {"close"}
    assert [small.status, healthy.status, heard.status, answered.status] == [200] * 4
    assert log.count('"status":503') >= 6


def test_a_refusal_of_head_does_not_pass_for_the_next_answer(linear_models: Path) -> None:
    settings = {"ORDINATE_WORKERS": "1", "ORDINATE_QUEUE": "0"}
    with Server(linear_models, **settings) as server, ExitStack() as stack:
        crowd = [joined(server, stack) for _ in range(20)]
        (worker,) = server.workers()
        os.kill(worker, signal.SIGSTOP)
        for wire in crowd:
            wire.send(headed("HEAD /openapi.json HTTP/1.1", "Host: x") + STATE)
        os.kill(worker, signal.SIGCONT)

        heads = [wire.answer(bodiless=True) for wire in crowd]
        states = [wire.answer() for wire in crowd]

    assert {each.status for each in heads} == {200, 503}
    assert {int(each.headers["Content-Length"]) > 0 for each in heads} == {True}
    assert [each.json for each in states] == [{"status": "ok"}] * 20


STATE = headed("GET /healthz HTTP/1.1", "Host: x")


def is_refused_by_its_head(server: Server, request: bytes) -> bool:
    with Wire(server) as wire:
        wire.send(request[:200])
        return wire.hears() and is_busy(wire.answer())


def chunked_head() -> bytes:
    return headed(
        *("POST /predict HTTP/1.1", "Host: x"),
        *("Content-Type: application/json", "Transfer-Encoding: chunked"),
    )


def joined(server: Server, stack: ExitStack) -> Wire:
    """A connection that the service has taken in, when those before it are gone."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        wire = stack.enter_context(Wire(server))
        wire.send(post())
        if wire.answer().status == 200:
            return wire
    raise AssertionError("the service has no room")


def test_beyond_its_connections_a_worker_closes_idle_ones(linear_models: Path) -> None:
    settings = {"ORDINATE_WORKERS": "1", "ORDINATE_CONNECTIONS": "20"}
    with Server(linear_models, **settings) as server, ExitStack() as stack:
        idle = [joined(server, stack) for _ in range(20)]

        server.wait_for(lambda: ask(server, post()).status == 200)

        with pytest.raises(EOFError):
            idle[0].answer()


def test_beyond_its_connections_a_worker_turns_new_ones_away(linear_models: Path) -> None:
    settings = {"ORDINATE_WORKERS": "1", "ORDINATE_CONNECTIONS": "20"}
    with Server(linear_models, **settings) as server, ExitStack() as stack:
        slow = [joined(server, stack) for _ in range(20)]
        for wire in slow:
            wire.send(post()[:-1])
        server.wait_for(lambda: is_busy(ask(server, post())))

        for _ in range(100):  # more than are kept at the door
            assert is_busy(ask(server, post()))
        for wire in slow:
            wire.send(post()[-1:])

        assert [wire.answer().status for wire in slow] == [200] * 20


def test_a_service_with_few_descriptors_says_so_and_goes_on(linear_models: Path) -> None:
    with Server(
        linear_models, (), None, "wsgi:app", "ulimit -n 200;", ORDINATE_WORKERS="1"
    ) as server:
        with ExitStack() as stack:
            for _ in range(150):
                stack.enter_context(Wire(server)).send(post()[:-1])
            server.wait_for(lambda: is_busy(ask(server, post())))

        server.wait_for(lambda: ask(server, post()).status == 200)
        assert "raise `ulimit -n`" in server.log
        assert "cannot be accepted" not in server.log


def test_a_queue_whose_first_has_waited_too_long_takes_no_more(
    linear_models: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    settings = {"ORDINATE_WORKERS": "1", "ORDINATE_THREADS": "1", "ORDINATE_QUEUE_SECONDS": "1"}
    hold = fault(f"hold?gate={gate}")
    with Server(linear_models, (), None, FAULTY, **settings) as server, ExitStack() as stack:
        wires: list[Wire] = []
        until = time.monotonic() + 20
        while not (wires and wires[-1].hears()):
            assert time.monotonic() < until
            wires.append(stack.enter_context(Wire(server)))
            wires[-1].send(hold)
        gate.touch()

        statuses = [wire.answer().status for wire in wires]

    assert statuses == [200] * (len(wires) - 1) + [503]
