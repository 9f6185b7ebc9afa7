"""The log of the service."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from app.telemetry import Log


class Written:
    """A log that writes into two files."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self._out, self._err = folder / "out", folder / "err"
        ends = [os.open(path, os.O_WRONLY | os.O_CREAT) for path in (self._out, self._err)]
        self.ends = ends
        self.log = Log(out=ends[0], err=ends[1], **options)

    def requests(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._out.read_text().splitlines()]

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._err.read_text().splitlines()]


@pytest.fixture
def written(tmp_path: Path) -> Any:
    made: list[Written] = []

    def make(**options: Any) -> Written:
        made.append(Written(tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        for end in one.ends:
            os.close(end)


def _access(log: Log, **changes: Any) -> None:
    fields: dict[str, Any] = {
        "request_id": "abc",
        "method": "POST",
        "route": "/predict",
        "path": "/predict",
        "status": 200,
        "seconds": 0.0123456,
    }
    log.access(**fields | changes)


def test_a_request_is_one_line_on_stdout_with_what_is_known_of_it(written: Any) -> None:
    output = written()

    _access(output.log, bytes_in=80, bytes_out=22, rows=1, model="diabetes/3", remote="10.0.0.1")

    (line,) = output.requests()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "info",
        "event": "request",
        "request_id": "abc",
        "method": "POST",
        "route": "/predict",
        "path": "/predict",
        "status": 200,
        "duration_ms": 12.346,
        "bytes_in": 80,
        "bytes_out": 22,
        "rows": 1,
        "model": "diabetes/3",
        "remote": "10.0.0.1",
    }
    assert output.events() == []


def test_what_does_not_apply_to_a_request_is_left_out(written: Any) -> None:
    output = written()

    _access(output.log)

    assert not {"rows", "model", "remote"} & set(output.requests()[0])


def test_a_request_that_the_service_failed_on_is_an_error(written: Any) -> None:
    output = written()

    _access(output.log, status=503)

    assert output.requests()[0]["level"] == "error"


def test_a_path_cannot_forge_a_second_line(written: Any) -> None:
    output = written()

    _access(output.log, path='/x\n{"event":"forged"}\u2028\x1b[2J')

    assert [line["event"] for line in output.requests()] == ["request"]


def test_the_access_log_can_be_switched_off(written: Any) -> None:
    output = written(access=False)

    _access(output.log)

    assert output.requests() == []


def test_an_event_goes_to_stderr_with_its_fields(written: Any) -> None:
    output = written()

    output.log.event("error", "model", model="diabetes", outcome="refused")

    (event,) = output.events()
    assert event["event"] == "model"
    assert (event["level"], event["model"], event["outcome"]) == ("error", "diabetes", "refused")
    assert output.requests() == []


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_events_under_the_level_are_not_written(written: Any, level: str, shown: list[str]) -> None:
    output = written(level=level)

    for each in ("debug", "info", "warning", "error"):
        output.log.event(each, "something")

    assert [event["level"] for event in output.events()] == shown


def test_an_unexpected_error_is_located_without_its_text(written: Any) -> None:
    output = written()

    try:
        float("canary 42")
    except ValueError as error:
        tell = output.log.failure
        tell("a request failed unexpectedly", error, request_id="abc")

    (event,) = output.events()
    assert event["error"] == "ValueError"
    assert event["request_id"] == "abc"
    assert "test_an_unexpected_error" in event["trace"][-1]
    assert "canary" not in json.dumps(event)


def test_a_lost_line_is_told(written: Any) -> None:
    lost: list[int] = []
    output = written(on_loss=lambda: lost.append(1))
    for end in output.ends:
        os.close(end)

    _access(output.log)

    assert lost == [1]
    output.ends.clear()
