"""The shipped gunicorn settings under a real gunicorn: counts, signals, deaths, logs."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.raw import Wire, ask, headed
from tests.support.server import ROOT, Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path) as running:
        running.wait_for(lambda: scraped(running, "ordinate_workers") == 2)
        yield running


def get(server: Server, path: str, headers: dict[str, str] | None = None) -> bytes:
    request = urllib.request.Request(server.url + path, headers=headers or {})
    with urllib.request.urlopen(request, timeout=20) as answer:
        body: bytes = answer.read()
    return body


def scraped(server: Server, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(get(server, "/metrics").decode())
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def health_checks(server: Server) -> float:
    return scraped(server, "ordinate_requests_total", route="/healthz", status="200")


def kill(server: Server, worker: int) -> None:
    os.kill(worker, signal.SIGKILL)
    server.wait_for(lambda: worker not in server.workers())


def test_as_many_requests_are_counted_as_were_sent_whoever_is_asked(server: Server) -> None:
    before = health_checks(server)

    for _ in range(100):
        get(server, "/healthz")

    assert {health_checks(server) for _ in range(20)} == {before + 100}


def test_counts_go_on_exactly_when_workers_are_killed(server: Server) -> None:
    expected = health_checks(server)

    for _ in range(10):
        for _ in range(5):
            get(server, "/healthz")
        expected += 5
        assert health_checks(server) == expected
        kill(server, server.workers()[0])
        assert health_checks(server) == expected
        server.wait_for(lambda: len(server.workers()) == 2)

    assert scraped(server, "ordinate_workers") == 2
    assert health_checks(server) == expected


def test_counts_go_on_over_a_reload(server: Server) -> None:
    get(server, "/healthz")
    before, old = health_checks(server), server.workers()

    server.process.send_signal(signal.SIGHUP)
    server.wait_for(lambda: not set(old) & set(server.workers()))
    get(server, "/healthz")

    assert health_checks(server) == before + 1
    server.wait_for(lambda: scraped(server, "ordinate_workers") == 2)


def test_workers_can_be_added_and_taken_away(server: Server) -> None:
    server.process.send_signal(signal.SIGTTIN)
    server.wait_for(lambda: scraped(server, "ordinate_workers") == 3)
    before = health_checks(server)
    for _ in range(10):
        get(server, "/healthz")

    server.process.send_signal(signal.SIGTTOU)
    server.wait_for(lambda: scraped(server, "ordinate_workers") == 2)

    assert health_checks(server) == before + 10


def test_every_line_is_json_and_none_holds_what_was_in_a_request(server: Server) -> None:
    get(server, "/healthz?key=canary", {"Authorization": "Bearer canary", "X-Request-Id": "mine-1"})
    server.stop()

    events = [json.loads(line) for line in server.err]
    requests = [json.loads(line) for line in server.out]
    assert {"server"} <= {event["event"] for event in events}
    assert [line["path"] for line in requests if line["request_id"] == "mine-1"] == ["/healthz"]
    assert "canary" not in server.log


def test_a_stop_is_clean(server: Server) -> None:
    assert server.stop() == 0


class Unread(Server):
    """A server whose log is read up to the first request, and left open."""

    @staticmethod
    def _collect(stream: IO[str] | None, lines: list[str]) -> None:
        assert stream is not None
        for line in stream:
            lines.append(line)
            if '"event":"request"' in line:
                break


def test_a_log_reader_that_stopped_does_not_stop_the_service(tmp_path: Path) -> None:
    with Unread(tmp_path) as server:
        for _ in range(1000):  # some 200 KB of log, and a pipe holds 64
            get(server, "/healthz")

        assert health_checks(server) >= 1000

    for stream in (server.process.stdout, server.process.stderr):
        assert stream
        stream.close()


def _gunicorn(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gunicorn", *arguments, "wsgi:app"],
        cwd=ROOT,
        env=os.environ | env,
        close_fds=False,  # a test may hand one over
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_wrong_setting_stops_the_start_with_one_line() -> None:
    done = _gunicorn(ORDINATE_MAX_ROWS="many")

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        'error: ORDINATE_MAX_ROWS is "many", allowed is a number of rows from 1 to 1000000000\n'
    )


def test_an_unknown_setting_is_told(tmp_path: Path) -> None:
    with Server(tmp_path, ORDINATE_MAX_ROW="5") as server:
        assert "ORDINATE_MAX_ROW is not a setting; did you mean ORDINATE_MAX_ROWS?" in server.log


def test_the_command_line_has_the_last_word(tmp_path: Path) -> None:
    models = str(tmp_path)

    done = _gunicorn(
        "--print-config", "-b", "127.0.0.1:1234", "-w", "3", PORT="99", ORDINATE_MODELS=models
    )

    settings = dict(line.split(" = ", 1) for line in done.stdout.splitlines() if " = " in line)
    shown = {name.strip(): value.strip() for name, value in settings.items()}
    assert shown["bind"] == "['127.0.0.1:1234']"
    assert shown["workers"] == "3"
    assert shown["preload_app"] == "True"
    assert shown["http_parser"] == "python"
    assert shown["control_socket_disable"] == "True"
    assert shown["forwarded_allow_ips"] == "[]"


@pytest.mark.parametrize(
    ("arguments", "env", "named"),
    [
        ((), {"HOST": "0.0.0.0", "PORT": "0"}, "0.0.0.0:0"),
        ((), {"HOST": "::", "PORT": "0"}, ":::0"),
        (("-b", "0.0.0.0:0"), {}, "0.0.0.0:0"),
        (("-b", "127.0.0.1:0", "-b", "0.0.0.0:0"), {}, "0.0.0.0:0"),
        (("-b", ":0"), {}, ":0"),
    ],
)
def test_without_keys_others_are_not_served_by_accident(
    arguments: tuple[str, ...], env: dict[str, str], named: str, tmp_path: Path
) -> None:
    quiet = {"ORDINATE_MODELS": str(tmp_path), "ORDINATE_LOG_LEVEL": "error"}

    done = _gunicorn(*arguments, **(quiet | env))

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"error: ORDINATE_AUTH is off, and others can reach {named}: make a key with "
        "`flask --app wsgi keys new` and set ORDINATE_AUTH=on, "
        "or set ORDINATE_ALLOW_OPEN=on if everybody who reaches it may predict\n"
    )


def test_a_socket_that_is_handed_over_is_looked_at_as_well(tmp_path: Path) -> None:
    with socket.socket() as given:
        given.bind(("0.0.0.0", 0))
        given.listen()
        given.set_inheritable(True)
        done = _gunicorn(
            *("-b", f"fd://{given.fileno()}"),
            ORDINATE_MODELS=str(tmp_path),
            ORDINATE_LOG_LEVEL="error",
        )

    assert done.returncode == 2
    assert done.stderr.startswith("error: ORDINATE_AUTH is off, and others can reach 0.0.0.0:")


def test_said_twice_others_are_served_and_that_is_told(tmp_path: Path) -> None:
    with Server(tmp_path, HOST="0.0.0.0", ORDINATE_ALLOW_OPEN="on") as server:
        assert get(server, "/models") == b'{"models":[]}'
        told = f"No key is asked for: all who reach 0.0.0.0:{server.port} may predict."
        assert server.log.count(told) == 1


def test_with_keys_others_are_served_without_a_word(tmp_path: Path) -> None:
    keys = str(tmp_path / "keys.json")
    with Server(tmp_path, HOST="0.0.0.0", ORDINATE_AUTH="on", ORDINATE_KEYS=keys) as server:
        assert b"ok" in get(server, "/healthz")
        assert "No key is asked for" not in server.log
        assert "keys.json: it is not there, so nobody gets in by it" in server.log


class OverSocket(Server):
    """A server on a UNIX socket in its folder of models."""

    def _find_port(self) -> bool:
        return "Listening at: unix:" in self.log

    def _answers(self) -> bool:
        return True


def test_a_number_of_requests_after_which_a_worker_goes_is_told_to_be_in_vain(
    tmp_path: Path,
) -> None:
    with Server(tmp_path, ("--max-requests", "5")) as server:
        server.wait_for(lambda: len(server.workers()) == 2)
        workers = server.workers()
        for _ in range(20):
            get(server, "/healthz")

        assert server.log.count("--max-requests is not taken") == 1
        assert server.workers() == workers


def test_stricter_limits_on_a_request_hold_for_every_one(tmp_path: Path) -> None:
    limits = ("--limit-request-line", "60", "--limit-request-fields", "5")
    more = [f"X-{number}: 1" for number in range(5)]

    with Server(tmp_path, limits) as server, Wire(server) as wire:
        wire.send(headed("GET /healthz HTTP/1.1", "Host: x", *more[1:]))
        taken = wire.answer()
        refused = [
            ask(server, headed("GET /healthz HTTP/1.1", "Host: x", *more)),
            ask(server, headed(f"GET /healthz?{'a' * 60} HTTP/1.1", "Host: x")),
        ]

    assert taken.status == 200
    assert [each.status for each in refused] == [431, 414]


def test_a_unix_socket_is_of_this_machine(tmp_path: Path) -> None:
    path = tmp_path / "socket"

    with OverSocket(tmp_path, ("-b", f"unix:{path}")), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(path))
        client.sendall(b"GET /models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = client.recv(1 << 16)

    assert answer.startswith(b"HTTP/1.1 200 ")
