"""Workers that hang, crash or are told to go: what becomes of their requests, and of others."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.support.faulty import FAULTY
from tests.support.raw import Wire, ask, headed, post
from tests.support.server import Server, wait_until_gone

HANG = headed("POST /faults/hang HTTP/1.1", "Host: x", "Content-Length: 0")
BODY = b'{"x":[1,2,0.5]}'
LOST = "ordinate_log_lines_lost_total"
READY = headed("GET /readyz HTTP/1.1", "Host: x")


@pytest.fixture
def faulty(linear_models: Path) -> Iterator[Server]:
    settings = {"ORDINATE_DEADLINE": "1", "ORDINATE_GRACE": "2", "ORDINATE_THREADS": "4"}
    with Server(linear_models, (), None, FAULTY, **settings) as running:
        running.wait_for(lambda: len(running.workers()) == 2)
        yield running


def is_alive(process: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


def test_a_hung_request_is_refused_at_its_deadline_and_its_worker_is_replaced(
    faulty: Server,
) -> None:
    before = set(faulty.workers())

    hung = ask(faulty, HANG)
    assert hung.status == 503
    assert "there was no answer within" in hung.json["error"]
    assert ask(faulty, post()).status == 200
    # After one more deadline the worker gives up the thread, and itself.
    faulty.wait_for(lambda: "this worker makes way" in faulty.log)
    faulty.wait_for(lambda: len(set(faulty.workers()) - before) == 1)

    assert len(faulty.workers()) == 2
    assert ask(faulty, post()).status == 200
    assert faulty.stop() == 0


def test_what_was_answered_at_its_deadline_is_counted_and_logged_once(
    faulty: Server, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    held = headed(f"POST /faults/hold?gate={gate} HTTP/1.1", "Host: x", "Content-Length: 0")

    assert ask(faulty, held).status == 503
    gate.touch()
    faulty.wait_for(lambda: '"event":"late"' in faulty.log)

    (late,) = (json.loads(line) for line in faulty.err if '"event":"late"' in line)
    assert late["route"] == "/faults/<kind>"
    assert "beyond its deadline" in late["reason"]
    faulty.wait_for(lambda: any('"path":"/faults/hold"' in line for line in faulty.out))
    assert faulty.stop() == 0
    lines = [json.loads(line) for line in faulty.out if '"path":"/faults/hold"' in line]
    assert [line["status"] for line in lines] == [503]


@pytest.mark.parametrize("kind", ["exit", "crash"])
def test_a_crash_takes_its_own_worker_and_the_service_goes_on(faulty: Server, kind: str) -> None:
    before = set(faulty.workers())
    with Wire(faulty) as wire:
        wire.send(headed(f"POST /faults/{kind} HTTP/1.1", "Host: x", "Content-Length: 0"))
        assert wire.answers() == []

    assert ask(faulty, post()).status == 200
    faulty.wait_for(lambda: len(set(faulty.workers()) & before) < 2)
    faulty.wait_for(lambda: len(faulty.workers()) == 2, 3)


def test_told_to_stop_a_service_refuses_what_hangs_and_ends_well(linear_models: Path) -> None:
    with (
        Server(linear_models, (), None, FAULTY, ORDINATE_GRACE="1") as server,
        Wire(server) as wire,
    ):
        wire.send(HANG)
        server.wait_for(lambda: "ordinate_queue_seconds_count 1.0" in server.get("/metrics"))

        assert server.stop(signal.SIGTERM) == 0
        assert wire.answer().status == 503


def test_workers_end_without_their_master_although_a_thread_hangs(faulty: Server) -> None:
    workers = faulty.workers()
    with Wire(faulty) as wire:
        wire.send(HANG)
        faulty.wait_for(lambda: "ordinate_queue_seconds_count 1.0" in faulty.get("/metrics"))

        faulty.process.kill()
        faulty.process.wait()

        assert [each.status for each in wire.answers()] == [503]
    for worker in workers:
        wait_until_gone(worker)


def test_before_it_stops_a_service_says_that_it_is_not_ready_and_serves_on(
    linear_models: Path,
) -> None:
    with Server(linear_models, ORDINATE_STOP_DELAY="1") as server, Wire(server) as wire:
        wire.send(READY)
        assert wire.answer().status == 200

        server.process.send_signal(signal.SIGTERM)
        server.wait_for(lambda: ask(server, READY).status == 503)  # on new connections
        wire.send(READY)
        refused = wire.answer()  # and on those there are
        wire.send(post())
        served = wire.answer()

        assert refused.status == 503
        assert "about to stop" in refused.json["error"]
        assert int(refused.headers["Retry-After"]) > 0
        assert served.status == ask(server, post()).status == 200
        assert served.headers["Connection"] == "keep-alive"
        assert server.stop() == 0


@pytest.mark.parametrize("told", ["the master", "a worker"])
def test_a_service_that_loses_one_worker_never_says_that_it_is_not_ready(
    linear_models: Path, told: str
) -> None:
    with Server(linear_models, ORDINATE_STOP_DELAY="1") as server, ExitStack() as stack:
        server.wait_for(lambda: len(server.workers()) == 2)
        before, states = server.workers(), list[int]()
        wires = [stack.enter_context(Wire(server)) for _ in range(10)]
        if told == "a worker":
            os.kill(before[0], signal.SIGTERM)
        else:
            server.process.send_signal(signal.SIGTTOU)

        def is_one_gone() -> bool:
            for wire in wires.copy():
                wire.send(READY)
                try:
                    states.append(wire.answer().status)
                except EOFError:
                    wires.remove(wire)
            return not set(before) <= set(server.workers())

        server.wait_for(is_one_gone)

        assert set(states) == {200}
        assert ask(server, READY).status == 200
        assert server.stop(signal.SIGINT) == 0  # without the delay


def test_a_reload_never_says_that_the_service_is_not_ready(linear_models: Path) -> None:
    with Server(linear_models, ORDINATE_STOP_DELAY="20", ORDINATE_WORKERS="1") as server:
        (old,) = server.workers()
        with Wire(server) as wire:
            server.process.send_signal(signal.SIGHUP)
            server.wait_for(lambda: len(server.workers()) == 2)
            wire.send(READY)
            states = [answer.status for answer in wire.answers()]  # until the old worker goes
        server.wait_for(lambda: old not in server.workers())

        assert states == [200]
        assert ask(server, READY).status == 200
        server.stop(signal.SIGINT)


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "SIGQUIT"])
def test_however_it_is_told_to_stop_the_line_of_each_answer_is_written(
    linear_models: Path, how: str
) -> None:
    asked = [f"asked-{how}-{number}" for number in range(30)]
    with Server(linear_models, ORDINATE_WORKERS="1") as server:
        with Wire(server) as wire:
            for request_id in asked:
                wire.send(post(BODY, f"X-Request-Id: {request_id}"))
                assert wire.answer().status == 200
            server.stop(signal.Signals[how])

        lines = [json.loads(line) for line in server.out]
    assert [line["request_id"] for line in lines if line.get("route") == "/predict"] == asked


def test_a_full_log_disk_does_not_stop_the_service(linear_models: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with Server(linear_models, (), None, "wsgi:app", "", ">/dev/full") as server:
        for _ in range(200):
            assert ask(server, post()).status == 200
        server.wait_for(lambda: lost_lines(server) >= 200)


def lost_lines(server: Server) -> float:
    lines = server.get("/metrics").splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(LOST))
