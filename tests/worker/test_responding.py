"""Who answers, on a real event loop with real threads: whatever an application does, somebody."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app import create_app
from app.config import Config
from app.http.fast import FastPath
from app.worker.budget import Budget
from app.worker.ends import Ends
from app.worker.heads import Head, recognise
from app.worker.pool import Bounds
from app.worker.responding import Responder
from tests.support.raw import parsed, post

BODY = b'{"x":[1,2,0.5]}'
HERE = Ends({"wsgi.url_scheme": "http"}, lambda: ("127.0.0.1", 80), ("127.0.0.1", 1234))
SECONDS = 20.0
ONE_THREAD = Bounds(threads=1, waiting=8, wait=SECONDS, deadline=SECONDS)

FAILURES = [
    pytest.param(RuntimeError("canary"), id="an error"),
    pytest.param(SystemExit(3), id="the wish to end the process"),
    pytest.param(KeyboardInterrupt(), id="an interruption"),
]


@pytest.fixture
def service(models: Path) -> Flask:
    settings = {"ORDINATE_MODELS": str(models), "ORDINATE_REFRESH": "0"}
    return create_app(Config.from_env(settings))


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


def head(target: str) -> Head:
    request = post(BODY, target=target)
    found = recognise(request[: -len(BODY)])
    assert found is not None
    return found


def later(
    responder: Responder, loop: asyncio.AbstractEventLoop, asked: Head, number: int
) -> list[int]:
    """The statuses that a thread answers so many requests with, which come together."""

    async def ask() -> list[bytes]:
        answers: list[asyncio.Future[bytes]] = [loop.create_future() for _ in range(number)]
        for answer in answers:
            assert responder.later(asked, HERE, BODY, True, answer.set_result) is None
        async with asyncio.timeout(SECONDS):
            return await asyncio.gather(*answers)

    return [parsed(each)[0].status for each in loop.run_until_complete(ask())]


def raising(error: BaseException) -> Callable[..., Any]:
    def raises(*_: object, **__: object) -> None:
        raise error

    return raises


@pytest.mark.parametrize("error", FAILURES)
@pytest.mark.parametrize("target", ["/models/tiny/predict", "/models/tiny/schema"])
def test_a_thread_answers_whatever_happens_in_it_and_goes_on(
    service: Flask,
    loop: asyncio.AbstractEventLoop,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    target: str,
    error: BaseException,
) -> None:
    responder = Responder(service, ONE_THREAD, Budget(1 << 20), loop)
    before = later(responder, loop, head(target), 1)
    with monkeypatch.context() as patch:
        patch.setattr(FastPath, "respond", raising(error))
        patch.setattr(FastPath, "__call__", raising(error))

        assert later(responder, loop, head(target), 3) == [500, 500, 500]

    assert later(responder, loop, head(target), 3) == before * 3
    responder.close()
    told = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    failures = [each for each in told if each["event"] == "a request failed unexpectedly"]
    assert [each["error"] for each in failures] == [type(error).__name__] * 3
    assert "canary" not in str(told)


def test_an_answer_that_nobody_waits_for_is_neither_counted_nor_logged_as_one(
    service: Flask, capfd: pytest.CaptureFixture[str]
) -> None:
    fast: Any = service.wsgi_app
    plain = head("/models/tiny/predict").plain
    assert plain is not None
    before = fast.served.metrics.render()[0]

    outcome, _ = fast.respond(plain, BODY, settle=lambda: False)

    assert outcome.status == 200
    assert fast.served.metrics.render()[0] == before
    captured = capfd.readouterr()
    assert '"event":"request"' not in captured.out
    (late,) = (json.loads(line) for line in captured.err.splitlines() if '"late"' in line)
    assert (late["level"], late["route"]) == ("warning", "/models/<name>/predict")


def test_the_event_loop_answers_whatever_happens_on_it(
    service: Flask, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    responder = Responder(service, ONE_THREAD, Budget(1 << 20), loop)
    monkeypatch.setattr(FastPath, "respond", raising(RuntimeError()))
    monkeypatch.setattr(FastPath, "__call__", raising(RuntimeError()))

    for target in ("/models/mixed/predict", "/healthz"):
        answer = responder.now(head(target), HERE, BODY, True)

        assert answer is not None
        assert parsed(answer)[0].status == 500
