"""How the benchmarks ask and what they take for an answer."""

import json
import select
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import pytest

from benchmarks.checks import Unfit, check_one, parted, relative_error
from benchmarks.dialects import MLFLOW, MLSERVER, NATIVE, X_TO_Y, Dialect
from benchmarks.paced import due_times, run, summed_up
from benchmarks.services import CONSTANT_OURS, FULL, ORDINATE
from benchmarks.wrk import CONNECTIONS, recorded

ROWS = [[1.0, 2.0], [3.0, 4.5]]


@pytest.mark.parametrize(
    ("dialect", "rows", "bare", "asked"),
    [
        (NATIVE, ROWS, False, {"x": ROWS}),
        (NATIVE, ROWS[:1], True, {"x": ROWS[0]}),
        (MLFLOW, ROWS, False, {"inputs": ROWS}),
        (
            MLSERVER,
            ROWS,
            False,
            {
                "inputs": [
                    {"name": "x", "shape": [2, 2], "datatype": "FP64", "data": [1.0, 2.0, 3.0, 4.5]}
                ]
            },
        ),
    ],
    ids=["native", "one row", "MLflow", "MLServer"],
)
def test_a_request_is_whole_and_in_its_dialect(
    dialect: Dialect, rows: Sequence[Sequence[float]], bare: bool, asked: object
) -> None:
    request = dialect.request(rows, bare=bare)

    path, body = parted(request)
    assert path == (dialect.one if bare else dialect.many)
    assert f"\r\nContent-Length: {len(body)}\r\n".encode() in request
    assert json.loads(body) == asked


@pytest.mark.parametrize(
    ("dialect", "body", "answers"),
    [
        (X_TO_Y, b'{"y": 5}', [5.0]),
        (X_TO_Y, b'{"y": [5, 6.5]}', [5.0, 6.5]),
        (MLFLOW, b'{"predictions": [5, 6.5]}', [5.0, 6.5]),
        (MLSERVER, b'{"outputs": [{"name": "predict", "data": [5, 6.5]}]}', [5.0, 6.5]),
    ],
)
def test_an_answer_is_read_in_its_dialect(
    dialect: Dialect, body: bytes, answers: list[float]
) -> None:
    assert dialect.read
    assert dialect.read(body) == answers


def test_an_answer_by_float32_is_measured_and_a_wrong_one_refused() -> None:
    assert relative_error([206.1, 0.0], [206.1, 0.5]) == 0.5
    assert check_one(ORDINATE, [206.110092], b'{"y": 206.110095}') == pytest.approx(1.5e-8, rel=0.1)
    for wrong in (b'{"y": 206.2}', b'{"y": [206.110092, 1]}', b'{"y": NaN}'):
        with pytest.raises(Unfit):
            check_one(ORDINATE, [206.110092], wrong)


def test_a_constant_answer_is_not_judged() -> None:
    assert check_one(CONSTANT_OURS, [206.110092], b"anything") == 0.0


def test_requests_are_recorded_by_length_so_that_lua_needs_no_parser() -> None:
    assert recorded([b"GET /\r\n\r\n", b"abc"]) == b"9\nGET /\r\n\r\n\n3\nabc\n"


@pytest.mark.parametrize("random_gaps", [False, True])
def test_paced_requests_are_due_at_the_rate_that_was_asked_for(random_gaps: bool) -> None:
    times = due_times(1_000, 4, random_gaps)

    assert len(times) == 4_000
    assert times == sorted(times)
    assert times[-1] == pytest.approx(4, rel=0.1)


@pytest.fixture
def answering() -> Iterator[Callable[[list[bytes]], int]]:
    """Starts a service of one connection that answers with these parts, and gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads: list[threading.Thread] = []

        def start(parts: list[bytes]) -> int:
            threads.append(threading.Thread(target=_answer, args=(listener, parts)))
            threads[-1].start()
            return int(listener.getsockname()[1])

        yield start
        for thread in threads:
            thread.join(20)


def _answer(listener: socket.socket, parts: list[bytes]) -> None:
    with ExitStack() as open_ones:
        clients = [open_ones.enter_context(listener.accept()[0]) for _ in range(CONNECTIONS)]
        by_number = {client.fileno(): client for client in clients}
        arrivals = select.poll()
        for number in by_number:
            arrivals.register(number, select.POLLIN)
        while by_number:
            for number, _ in arrivals.poll(20_000):
                if not _is_answered(by_number[number], parts):
                    arrivals.unregister(number)
                    del by_number[number]


def _is_answered(client: socket.socket, parts: list[bytes]) -> bool:
    """Answer what has come; False where the client is gone, which may end without a word."""
    try:
        if not client.recv(65536):
            return False
        for part in parts:
            client.sendall(part)
    except ConnectionError:
        return False
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks are for Linux")
def test_paced_requests_are_all_answered_also_in_parts(
    answering: Callable[[list[bytes]], int],
) -> None:
    port = answering([b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 2\r\n\r\no", b"k"])

    found = run(port, [b"GET / HTTP/1.1\r\n\r\n", b"GET /x HTTP/1.1\r\n\r\n"], 500, 1, "0")

    assert 0 < found.p50 <= found.usual_p99 <= found.p99 * 1.01


@pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks are for Linux")
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "not what was asked"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "no length"),
    ],
)
def test_an_answer_that_is_no_success_ends_the_measurement(
    answering: Callable[[list[bytes]], int], answer: bytes, why: str
) -> None:
    with pytest.raises(ConnectionError, match=why):
        run(answering([answer]), [b"GET / HTTP/1.1\r\n\r\n"], 100, 0.5, "0")


def test_services_have_names_of_their_own() -> None:
    names = [service.name for service in FULL]

    assert len(set(names)) == len(names)


def test_a_machine_that_stands_still_now_and_then_is_told_from_a_slow_service() -> None:
    quiet = [0.0001 + n % 100 * 1e-6 for n in range(10_000)]
    stalled = [*quiet[:3_500], *[0.005] * 300, *quiet[3_800:]]

    before, after = summed_up(quiet, 1_000), summed_up(stalled, 1_000)

    assert after.p99 > 20 * before.p99
    assert after.usual_p99 == pytest.approx(before.p99, rel=0.01)
    assert after.p50 == pytest.approx(before.p50, rel=0.05)
