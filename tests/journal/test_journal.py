"""The prediction log of a service: complete, private, and never in the way of an answer."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.config import Config
from app.errors import ConfigError
from app.files import temporary_name
from app.http.service import EXTENSION, Service
from app.journal import Journal, begun, log_files, read
from app.journal.folder import DAY_SECONDS, new_name, remove_expired
from app.journal.journal import MOST_BYTES
from app.journal.writing import LogFile
from app.telemetry import Log, Metrics
from tests.support.journal import Kept, written
from tests.support.raw import Wire, chunked, headed, post
from tests.support.server import Server
from tests.support.threads import no_more_threads
from tests.support.waiting import eventually

ROW = b'{"x":[1,2,0.5]}'


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept.below(tmp_path)


@pytest.fixture
def client(models: Path, kept: Kept) -> Iterator[FlaskClient]:
    """A service in this process that keeps what it predicts."""
    settings = {"ORDINATE_MODELS": str(models), "ORDINATE_REFRESH": "0", **kept.settings}
    app = create_app(Config.from_env(settings))
    yield app.test_client()
    served: Service = app.extensions[EXTENSION]
    assert served.journal is not None
    served.journal.close()


def counted(text: str) -> dict[str, int]:
    """How many records were written and how many dropped, as the metrics tell it."""
    name = 'ordinate_prediction_log_records_total{outcome="'
    lines = [line.removeprefix(name) for line in text.splitlines() if line.startswith(name)]
    return {line.partition('"')[0]: int(float(line.split()[-1])) for line in lines}


def predict(client: FlaskClient, request_id: str = "mine") -> str:
    headers = {"Content-Type": "application/json", "X-Request-Id": request_id}
    answer = client.post("/predict", data=ROW, headers=headers)
    assert answer.status_code == 200
    return answer.text


def test_what_is_answered_is_kept_byte_by_byte(client: FlaskClient, kept: Kept) -> None:
    before = time.time_ns()

    answer = predict(client)

    assert eventually(kept.records)
    (record,) = kept.records()
    assert (record.request_id, record.model, record.key) == ("mine", "tiny/2", None)
    assert (record.body, record.answer.decode()) == (ROW, answer)
    assert before <= record.time_ns <= time.time_ns()


def test_what_is_refused_is_not_kept(client: FlaskClient, kept: Kept) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b'{"x":[1,2]}', b'{"x":[1,2,"a"]}', b'{"x"', b"", b"[" * 2000):
        assert client.post("/predict", data=body, headers=headers).status_code == 400
    client.get("/models")

    predict(client, "last")

    assert eventually(kept.records)
    assert [record.request_id for record in kept.records()] == ["last"]


def test_without_the_setting_nothing_is_kept(models: Path) -> None:
    app = create_app(Config.from_env({"ORDINATE_MODELS": str(models), "ORDINATE_REFRESH": "0"}))

    assert app.extensions[EXTENSION].journal is None


def test_every_door_leads_to_the_log_and_a_stop_completes_it(models: Path, kept: Kept) -> None:
    slow = headed(
        "POST /predict HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
        "X-Request-Id: flask",
        body=chunked(ROW),
    )
    proven = post(ROW, "X-Request-Id: pickled", target="/models/tiny/versions/1/predict")
    old = written(kept.folder / new_name(time.time() - 31 * DAY_SECONDS), kept.public)
    with Server(models, **kept.settings) as server:
        server.wait_for(lambda: not old.exists())  # without a single prediction
        for _ in range(4):  # each to whichever worker
            with Wire(server) as wire:
                for request in (post(ROW, "X-Request-Id: fast"), slow, proven):
                    wire.send(request)
                    assert wire.answer().status == 200
        assert server.stop() == 0

    found = sorted((each.request_id, each.model) for each in kept.records())
    assert found == sorted(4 * [("fast", "tiny/2"), ("flask", "tiny/2"), ("pickled", "tiny/1")])
    for path in log_files(kept.folder):
        assert kept.remarks(path) == []


def test_a_killed_worker_loses_no_record_that_was_written_before(
    linear_models: Path, kept: Kept
) -> None:
    with Server(linear_models, **kept.settings, ORDINATE_WORKERS="1") as server:
        with Wire(server) as wire:
            for number in range(50):
                wire.send(post(ROW, f"X-Request-Id: {number}"))
                assert wire.answer().status == 200
        server.wait_for(lambda: len(kept.records()) == 50)
        (path,) = log_files(kept.folder)
        os.kill(int(path.name.split("-")[1]), signal.SIGKILL)

        server.wait_for(lambda: server.log.count("Booting worker") == 2)
        server.ask("/predict", "after")
        server.wait_for(lambda: len(kept.records()) == 51)

    assert [remark.is_damage for remark in kept.remarks(path)] == [False]
    assert [each.request_id for each in kept.records()] == [*map(str, range(50)), "after"]


def test_a_folder_that_vanishes_costs_records_and_no_answer(
    client: FlaskClient, kept: Kept, capfd: pytest.CaptureFixture[str]
) -> None:
    predict(client, "before")
    assert eventually(kept.records)

    shutil.rmtree(kept.folder)
    predict(client, "lost")

    assert eventually(lambda: counted(client.get("/metrics").text).get("dropped"))
    kept.folder.mkdir()
    predict(client, "after")
    assert eventually(kept.records)
    assert [record.request_id for record in kept.records()] == ["after"]
    assert counted(client.get("/metrics").text) == {"written": 2, "dropped": 1}
    events = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [event["reason"] for event in events if event["event"] == "prediction log"] == [
        "the file cannot be written: No such file or directory"
    ]


def test_a_full_disk_costs_records_and_no_answer(client: FlaskClient, kept: Kept) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "ordinate-test", str(kept.folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here")
    try:
        for number in range(200):
            predict(client, str(number))

        assert eventually(lambda: counted(client.get("/metrics").text).get("dropped"))
        predict(client)
    finally:
        subprocess.run(["umount", "--lazy", str(kept.folder)], check=True, timeout=20)


def test_what_finds_no_room_in_memory_is_dropped_and_told_once(
    kept: Kept, capfd: pytest.CaptureFixture[str]
) -> None:
    metrics = Metrics()
    journal = Journal(kept.folder, kept.public, 30, metrics, Log())
    for _ in range(3):
        journal.record("large", "tiny/2", None, bytes(MOST_BYTES), b"")
    journal.record("small", "tiny/2", None, ROW, b"")
    journal.close()

    assert [record.request_id for record in kept.records()] == ["small"]
    assert counted(metrics.render()[0].decode()) == {"written": 1, "dropped": 3}
    (event,) = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert (event["records"], event["outcome"]) == (1, "dropped")


def test_a_record_that_cannot_be_written_takes_no_other_with_it(
    kept: Kept, capfd: pytest.CaptureFixture[str]
) -> None:
    metrics = Metrics()
    journal = Journal(kept.folder, kept.public, 30, metrics, Log())
    for name in ("first", "half \ud800", "last"):
        journal.record("id", "tiny/2", name, ROW, b"")
    journal.close()

    assert [record.key for record in kept.records()] == ["first", "last"]
    assert counted(metrics.render()[0].decode()) == {"written": 2, "dropped": 1}
    (path,) = log_files(kept.folder)
    assert kept.remarks(path) == []
    (event,) = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert (event["records"], event["reason"]) == (1, "a name in it cannot be written as text")


def test_a_file_is_as_old_as_the_record_that_waited_longest_for_it(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = time.time_ns() - 7200 * 10**9
    journal = Journal(kept.folder, kept.public, 30, Metrics(), Log("error"))

    with monkeypatch.context() as then:
        then.setattr(time, "time_ns", lambda: before)
        journal.record("waited", "tiny/2", None, ROW, b"")
    journal.record("fresh", "tiny/2", None, ROW, b"")
    journal.close()

    found = [(begun(path.name), *read(path, kept.key)) for path in log_files(kept.folder)]
    assert [(begin, len(records)) for begin, *records in found] == [
        (each.time_ns // 10**9, 1) for each in kept.records()
    ]
    assert [each.request_id for each in kept.records()] == ["waited", "fresh"]


def test_what_is_too_old_is_removed_whoever_wrote_it(kept: Kept) -> None:
    now, days = time.time(), 3
    ages = {"old": days * DAY_SECONDS + 1, "young": days * DAY_SECONDS - 60}
    names = {what: new_name(now - seconds) for what, seconds in ages.items()}
    for name in (*names.values(), "notes.txt"):
        written(kept.folder / name, kept.public)

    journal = Journal(kept.folder, kept.public, days, Metrics(), Log("error"))
    journal.ensure()

    assert eventually(lambda: not (kept.folder / names["old"]).exists())
    journal.close()
    assert sorted(os.listdir(kept.folder)) == sorted([names["young"], "notes.txt"])


class Waits(threading.Event):
    """Remembers for how long it was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return super().wait(timeout)


def test_a_record_does_not_put_off_the_next_look_for_what_is_too_old(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.journal.journal._IDLE_SECONDS", 1000.0)
    journal = Journal(kept.folder, kept.public, 30, Metrics(), Log("error"))
    monkeypatch.setattr(journal, "_some", waits := Waits())

    journal.record("id", "tiny/2", None, ROW, b"")
    assert eventually(kept.records)
    assert eventually(lambda: len(waits.seconds) > 1)
    journal.close()

    first, second, *_ = waits.seconds
    assert second < first <= 1000.0


def test_what_is_too_old_and_cannot_be_removed_is_told_once_and_keeps_nothing_else(
    kept: Kept, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now, days = time.time(), 3
    stuck, old = (new_name(now - days * DAY_SECONDS - age) for age in (20, 10))
    (kept.folder / stuck).mkdir()  # which nobody can unlink, not even root
    written(kept.folder / old, kept.public)
    monkeypatch.setattr("app.journal.journal._IDLE_SECONDS", 0.02)

    journal = Journal(kept.folder, kept.public, days, Metrics(), Log("info"))
    journal.ensure()
    assert eventually(lambda: not (kept.folder / old).exists())
    looked = kept.folder / new_name(now - days * DAY_SECONDS)
    written(looked, kept.public)
    assert eventually(lambda: not looked.exists())  # it has come to all of them again
    journal.close()

    events = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    told = [event for event in events if event["outcome"] == "overdue"]
    assert [(event["level"], event["file"]) for event in told] == [("error", stuck)]
    assert "cannot be removed" in told[0]["reason"]


def test_what_an_erasing_left_behind_is_removed_unless_it_goes_on(kept: Kept) -> None:
    hour_ago = time.time() - 3600
    left, at_work, fresh = (kept.folder / temporary_name() for _ in range(3))
    written(left, kept.public)
    written(fresh, kept.public)
    writing = LogFile(at_work, kept.public)
    for path in (left, at_work):
        os.utime(path, (hour_ago, hour_ago))

    removed = list(remove_expired(kept.folder, 3, time.time()))

    writing.close()
    assert removed == [(left.name, None)]
    assert fresh.exists()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"ORDINATE_PREDICTION_LOG_KEY": ""}, "without ORDINATE_PREDICTION_LOG_KEY"),
        ({"ORDINATE_PREDICTION_LOG_KEY": "/nowhere"}, "^ORDINATE_PREDICTION_LOG_KEY: /nowhere c"),
        ({"ORDINATE_PREDICTION_LOG": "/nowhere"}, "which is no folder"),
    ],
)
def test_a_log_that_cannot_be_kept_stops_the_start(
    models: Path, kept: Kept, change: dict[str, str], problem: str
) -> None:
    env = {"ORDINATE_MODELS": str(models), "ORDINATE_REFRESH": "0", **kept.settings, **change}

    with pytest.raises(ConfigError, match=problem) as raised:
        create_app(Config.from_env(env))

    assert raised.value.message.isprintable()


def test_without_a_thread_a_prediction_waits_and_the_next_one_starts_it(
    client: FlaskClient,
) -> None:
    with no_more_threads():
        predict(client)
    predict(client)

    assert eventually(lambda: counted(client.get("/metrics").text).get("written") == 2)
