"""gunicorn's own messages."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from app.telemetry.gunicorn_logger import JsonFormatter


def _record(message: str, *args: object, error: bool = False) -> logging.LogRecord:
    told = sys.exc_info() if error else None
    return logging.LogRecord("gunicorn.error", logging.WARNING, "x.py", 1, message, args, told)


def test_a_message_is_one_line_of_json() -> None:
    line = JsonFormatter().format(_record("Worker (pid:%s) was sent %s!", 7, "SIGKILL\n\x1b[1m"))

    record = json.loads(line)
    assert line.isprintable()
    assert (record["level"], record["event"]) == ("warning", "server")
    assert record["message"] == "Worker (pid:7) was sent SIGKILL\n\x1b[1m!"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Invalid request from ip=::1: Invalid HTTP: 'canary'", "Invalid request from ip=::1"),
        (
            "Ignored premature client disconnection. canary",
            "Ignored premature client disconnection",
        ),
        ("Error handling request POST /canary", "Error handling request"),
        ("HTTP/2 protocol error from peer: canary", "HTTP/2 protocol error from peer"),
        ("Closing connection.\ncanary", "Closing connection"),
    ],
)
def test_what_a_client_sent_is_left_out(message: str, shown: str) -> None:
    assert json.loads(JsonFormatter().format(_record(message)))["message"] == shown


def test_where_an_error_arose_is_told_and_its_text_left_out() -> None:
    try:
        raise LookupError("canary\nvalue")
    except LookupError:
        line = JsonFormatter().format(_record("it failed", error=True))

    record = json.loads(line)
    assert record["error"] == "LookupError"
    assert "test_gunicorn_logger.py" in record["trace"][-1]
    assert "canary" not in line


def test_what_the_system_says_is_told() -> None:
    try:
        Path("/nowhere").read_bytes()
    except OSError:
        line = JsonFormatter().format(_record("it failed", error=True))

    assert "No such file or directory" in json.loads(line)["reason"]


RELOADS = """
import os
from gunicorn.config import Config
from app.telemetry.gunicorn_logger import JsonLogger
JsonLogger(Config())
before = os.listdir("/dev/fd")
for _ in range(3):
    log = JsonLogger(Config())
log.info("told once")
assert os.listdir("/dev/fd") == before
"""


def test_a_reload_opens_nothing_anew() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RELOADS], check=True, stderr=subprocess.PIPE, timeout=60
    )

    (line,) = done.stderr.splitlines()
    assert json.loads(line)["message"] == "told once"
