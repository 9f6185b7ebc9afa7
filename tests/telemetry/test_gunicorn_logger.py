"""gunicorn's own messages."""

import json
import logging
import sys

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


def test_a_stack_trace_is_folded_into_the_line() -> None:
    try:
        raise LookupError("nothing\nthere")
    except LookupError:
        line = JsonFormatter().format(_record("it failed", error=True))

    record = json.loads(line)
    assert line.isprintable()
    assert record["trace"].startswith("Traceback")
    assert "nothing\nthere" in record["trace"]
