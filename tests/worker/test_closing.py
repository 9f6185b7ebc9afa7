"""Closing a listening socket: whoever has connected is taken, whoever comes later is refused."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.worker.closing import close_when_empty, is_awaited, keep_out
from tests.support.raw import WAIT_SECONDS, parsed, post
from tests.support.server import ROOT, Server, wait_until_gone

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can keep others out")
TRIES = 50
"""The system ends a handshake by itself after 40 ms, which a busy machine may take elsewhere."""

LAST = post(b'{"x":[1,2,0.5]}', "Connection: close")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as made:
        made.setblocking(False)
        yield made


@contextmanager
def half_connected(port: int) -> Iterator[socket.socket]:
    """A client that is connected, of which the service does not know.

    It sends the last segment of its handshake with its request, or after a while: as HAProxy does
    to save a segment, and as all clients do where that segment takes its time.
    """
    with socket.socket() as client:
        client.settimeout(WAIT_SECONDS)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
        client.connect(("127.0.0.1", port))
        yield client


def is_known(client: socket.socket) -> bool:
    """Whether the other side's handshake is over, by which end ever."""
    port = b":%04X" % client.getsockname()[1]
    lines = [line.split() for line in Path("/proc/net/tcp").read_bytes().splitlines()]
    return not any(line[2].endswith(port) and line[3] == b"03" for line in lines)


def answers(client: socket.socket, request: bytes) -> list[int]:
    """Statuses of the answers to it; empty where the connection is gone."""
    try:
        client.sendall(request)
        with client.makefile("rb") as file:
            return [each.status for each in parsed(file.read())]
    except ConnectionError:
        return []


def test_whoever_waits_is_taken_before_the_socket_is_closed(listener: socket.socket) -> None:
    address, taken = listener.getsockname(), list[socket.socket]()
    clients = [socket.create_connection(address, timeout=20) for _ in range(20)]

    close_when_empty(listener, taken.append)

    peers = sorted(each.getpeername() for each in taken)
    assert peers == sorted(each.getsockname() for each in clients)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=20)
    assert not any(client.get_inheritable() for client in taken)
    for each in (*taken, *clients):
        each.close()


def test_one_that_hangs_up_while_it_waits_keeps_nobody_from_being_taken(
    listener: socket.socket,
) -> None:
    socket.create_connection(listener.getsockname(), timeout=20).close()
    taken = list[socket.socket]()

    with socket.create_connection(listener.getsockname(), timeout=20):
        close_when_empty(listener, taken.append)

        assert len(taken) == 2
        for client in taken:
            client.close()


@LINUX
def test_who_has_begun_to_connect_gets_in_and_who_has_not_is_kept_out(
    listener: socket.socket,
) -> None:
    address = listener.getsockname()
    with half_connected(address[1]) as client, socket.socket() as late:
        late.setblocking(False)

        assert keep_out(listener)
        assert late.connect_ex(address) != 0
        assert is_awaited(listener)
        client.sendall(b"x")  # and with it the end of the handshake
        assert select.select([listener], [], [], WAIT_SECONDS)[0]
        taken, peer = listener.accept()
        with taken:
            assert peer == client.getsockname()
            assert taken.recv(1) == b"x"
        assert not is_awaited(listener)
        with pytest.raises(BlockingIOError):
            listener.accept()


@LINUX
def test_nobody_is_awaited_at_a_socket_that_nobody_connects_to(listener: socket.socket) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        for _ in range(TRIES):
            with half_connected(other.getsockname()[1]):
                assert not is_awaited(listener)
                if is_awaited(other):
                    return
    raise AssertionError("of none that has begun to connect it was known")


@LINUX
def test_a_system_that_does_not_tell_does_not_keep_a_service_from_stopping(
    listener: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.worker.closing._TABLES", (tmp_path / "none", tmp_path))

    with half_connected(listener.getsockname()[1]):
        assert not is_awaited(listener)


def test_a_unix_socket_cannot_keep_anybody_out(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        assert not keep_out(listener)


@LINUX
def test_told_to_stop_a_service_serves_who_has_begun_to_connect(linear_models: Path) -> None:
    with Server(linear_models) as server, half_connected(server.port) as client:
        server.process.send_signal(signal.SIGTERM)
        server.wait_for(lambda: is_known(client))

        assert answers(client, LAST) == [200]
        assert server.stop() == 0


@LINUX
def test_an_old_service_keeps_nobody_out_of_the_one_that_takes_over(
    linear_models: Path, tmp_path: Path
) -> None:
    pids, new = tmp_path / "pid", tmp_path / "pid.2"
    shell = f'shift 3; set -- {Path(sys.executable).parent / "gunicorn"} "$@"; '
    with Server(linear_models, ("--pid", str(pids)), None, "wsgi:app", shell) as server:
        server.process.send_signal(signal.SIGUSR2)  # takes no `python -m gunicorn`
        server.wait_for(new.is_file)
        taking_over = int(new.read_text())
        try:
            server.wait_for(lambda: len(server.workers()) == 4)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(WAIT_SECONDS) == 0
            with socket.create_connection(("127.0.0.1", server.port), WAIT_SECONDS) as client:
                assert answers(client, LAST) == [200]
        finally:
            os.kill(taking_over, signal.SIGTERM)
            wait_until_gone(taking_over)


GIVEN = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "wsgi:app", *sys.argv[2:]])
"""


@LINUX
@pytest.mark.parametrize("way", ["fd", "systemd"])
def test_a_socket_of_another_process_takes_clients_after_the_service_is_gone(
    linear_models: Path, way: str
) -> None:
    env = os.environ | {"ORDINATE_MODELS": str(linear_models)}
    arguments = ["-b", "fd://3"] if way == "fd" else []
    env |= {"LISTEN_FDS": "1"} if way == "systemd" else {}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        given = listener.fileno()
        process = subprocess.Popen(
            [sys.executable, "-c", GIVEN, str(given), *arguments],
            cwd=ROOT,
            env=env,
            pass_fds=[given],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        with process:
            try:
                with socket.create_connection(listener.getsockname(), WAIT_SECONDS) as client:
                    assert answers(client, LAST) == [200]
            finally:
                process.terminate()
            assert process.wait(WAIT_SECONDS) == 0

        with socket.create_connection(listener.getsockname(), WAIT_SECONDS):
            listener.settimeout(WAIT_SECONDS)
            listener.accept()[0].close()
