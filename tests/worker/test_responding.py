"""Who answers, on a real event loop with real threads: whatever an application does, somebody."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app import create_app
from app.config import Config
from app.http.fast import FastPath, Unfinished
from app.worker.budget import Budget
from app.worker.ends import Ends
from app.worker.heads import Head, recognise
from app.worker.pool import Bounds, Pool
from app.worker.responding import Responder
from tests.support.raw import Answer, parsed, post
from tests.support.threads import no_more_threads

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


def head(target: str, body: bytes = BODY, method: str = "POST") -> Head:
    request = post(body, target=target).replace(b"POST", method.encode(), 1)
    found = recognise(request[: -len(body)])
    assert found is not None
    return found


def later(
    responder: Responder, loop: asyncio.AbstractEventLoop, asked: Head, number: int
) -> list[int]:
    """The statuses that a thread answers so many requests with, which come together."""
    return [each.status for each in answers(responder, loop, [(asked, HERE, BODY, True)] * number)]


def answers(
    responder: Responder,
    loop: asyncio.AbstractEventLoop,
    requests: Sequence[tuple[Head, Ends, bytes, bool]],
    unfinished: Unfinished | None = None,
) -> list[Answer]:
    """What a thread answers to requests, which come together."""

    async def ask() -> list[bytes]:
        answers: list[asyncio.Future[bytes]] = [loop.create_future() for _ in requests]
        for answer, request in zip(answers, requests, strict=True):
            assert responder.later(*request, answer.set_result, unfinished) is None
        async with asyncio.timeout(SECONDS):
            return await asyncio.gather(*answers)

    return [parsed(each)[0] for each in loop.run_until_complete(ask())]


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


@pytest.mark.parametrize("target", ["/models/tiny/predict", "/models/tiny/schema"])
def test_what_a_request_waited_for_a_thread_is_part_of_how_long_it_took(
    service: Flask, loop: asyncio.AbstractEventLoop, target: str
) -> None:
    fast: Any = service.wsgi_app
    responder = Responder(service, ONE_THREAD, Budget(1 << 20), loop)

    later(responder, loop, head(target), 8)

    responder.close()
    lines = fast.served.metrics.render()[0].decode().splitlines()
    took, waited = (
        sum(float(line.split()[-1]) for line in lines if line.startswith(series))
        for series in ("ordinate_request_duration_seconds_sum", "ordinate_queue_seconds_sum")
    )
    assert took >= waited > 0


def test_the_event_loop_answers_whatever_happens_on_it(
    service: Flask, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    responder = Responder(service, ONE_THREAD, Budget(1 << 20), loop)
    monkeypatch.setattr(FastPath, "respond", raising(RuntimeError()))
    monkeypatch.setattr(FastPath, "__call__", raising(RuntimeError()))

    for target in ("/models/mixed/predict", "/healthz"):
        answer = responder.now(head(target), HERE, BODY, True)

        assert isinstance(answer, bytes)
        assert parsed(answer)[0].status == 500


LARGE = b'{"x":[' + b"[1,2,0.5]," * 4_000 + b"[1,2,0.5]]}"
LARGE_AND_WRONG = LARGE[:-3] + b',"x"]]}'


def test_a_large_body_that_is_right_is_answered_by_the_event_loop(
    service: Flask, loop: asyncio.AbstractEventLoop
) -> None:
    responder = Responder(service, ONE_THREAD, Budget(1 << 20), loop)

    answer = responder.now(head("/models/tiny/predict", LARGE), HERE, LARGE, True)

    assert isinstance(answer, bytes)
    assert len(json.loads(parsed(answer)[0].body)["y"]) == 4_001


def test_a_large_body_that_is_not_plainly_right_is_let_in_once_and_answered_by_a_thread(
    models: Path, loop: asyncio.AbstractEventLoop, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = {"ORDINATE_MODELS": str(models), "ORDINATE_REFRESH": "0"}
    settings |= {"ORDINATE_LIMIT_ADDRESS_REQUESTS": "9/day"}
    service = create_app(Config.from_env(settings))
    responder = Responder(service, ONE_THREAD, Budget(1 << 20), loop)
    asked = head("/models/tiny/predict", LARGE_AND_WRONG)

    found = responder.now(asked, HERE, LARGE_AND_WRONG, True)

    assert isinstance(found, Unfinished)
    assert '"event":"request"' not in capfd.readouterr().out
    (answer,) = answers(responder, loop, [(asked, HERE, LARGE_AND_WRONG, True)], found)
    alone = service.test_client().post(
        "/models/tiny/predict", data=LARGE_AND_WRONG, content_type="application/json"
    )
    assert (answer.status, answer.json) == (400, alone.json)
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    ids = [answer.headers["X-Request-Id"], alone.headers["X-Request-Id"]]
    assert [(each["status"], each["request_id"]) for each in lines] == [(400, each) for each in ids]
    assert found.request_id == ids[0]
    left = [answer.headers["RateLimit"], alone.headers["RateLimit"]]
    assert [";r=8;" in left[0], ";r=7;" in left[1]] == [True, True]
    responder.close()


def test_what_was_let_in_and_finds_no_thread_is_refused_like_any_other(
    service: Flask, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    responder = Responder(service, ONE_THREAD, Budget(1 << 20), loop)
    request = (head("/models/tiny/predict", LARGE_AND_WRONG), HERE, LARGE_AND_WRONG, True)
    monkeypatch.setattr(Pool, "is_full", lambda _: True)

    found = responder.now(*request)

    assert isinstance(found, Unfinished)
    answer = responder.later(*request, print, found)
    assert answer is not None
    assert parsed(answer)[0].status == 503


@pytest.mark.parametrize(("keep_alive", "said"), [(True, "keep-alive"), (False, "close")])
def test_a_failure_says_what_becomes_of_the_connection(
    service: Flask,
    loop: asyncio.AbstractEventLoop,
    monkeypatch: pytest.MonkeyPatch,
    keep_alive: bool,
    said: str,
) -> None:
    responder = Responder(service, ONE_THREAD, Budget(1 << 20), loop)
    monkeypatch.setattr(FastPath, "__call__", raising(SystemExit(3)))

    (answer,) = answers(responder, loop, [(head("/models"), HERE, BODY, keep_alive)])

    assert (answer.status, answer.headers["Connection"]) == (500, said)


def full(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Pool, "is_full", lambda *_: True)


def failing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FastPath, "__call__", raising(RuntimeError()))


@pytest.mark.parametrize(("prepare", "status"), [(full, 503), (failing, 500)])
def test_head_gets_no_body_whoever_refuses_it(
    service: Flask,
    loop: asyncio.AbstractEventLoop,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[pytest.MonkeyPatch], None],
    status: int,
) -> None:
    responder = Responder(service, ONE_THREAD, Budget(1 << 20), loop)
    prepare(monkeypatch)

    short, whole = (given(responder, loop, head("/models", BODY, each)) for each in ("HEAD", "GET"))

    (answer,) = parsed(whole)
    assert short.startswith(b"HTTP/1.1 %d " % status)
    assert short.endswith(b"\r\n\r\n")
    assert b"\r\nContent-Length: %d\r\n" % len(answer.body) in short


@pytest.mark.parametrize("prepare", [lambda _patch: None, full], ids=["answered", "refused"])
def test_a_line_has_the_path_as_it_was_meant_and_the_bytes_that_were_sent(
    service: Flask,
    loop: asyncio.AbstractEventLoop,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    prepare: Callable[[pytest.MonkeyPatch], None],
) -> None:
    responder = Responder(service, ONE_THREAD, Budget(1 << 20), loop)
    prepare(monkeypatch)

    given(responder, loop, head("/models/%c3%a4", BODY, "HEAD"))

    (line,) = (json.loads(each) for each in capfd.readouterr().out.splitlines())
    assert (line["method"], line["path"], line["bytes_out"]) == ("HEAD", "/models/\u00e4", 0)


def given(responder: Responder, loop: asyncio.AbstractEventLoop, asked: Head) -> bytes:
    """The answer to a request that is left to a thread, whoever gives it."""

    async def ask() -> bytes:
        answer: asyncio.Future[bytes] = loop.create_future()
        refusal = responder.later(asked, HERE, BODY, True, answer.set_result)
        async with asyncio.timeout(SECONDS):
            return refusal or await answer

    return loop.run_until_complete(ask())


def test_head_gets_no_body_where_its_own_is_not_waited_for(
    service: Flask, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    responder = Responder(service, ONE_THREAD, Budget(1 << 20), loop)
    full(monkeypatch)

    answer = responder.early(head("/models", LARGE, "HEAD"), HERE)

    assert answer is not None
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert answer.endswith(b"\r\n\r\n")


def test_a_request_for_which_there_is_no_thread_is_refused_and_the_next_is_answered(
    service: Flask, loop: asyncio.AbstractEventLoop
) -> None:
    budget = Budget(1 << 20)
    responder = Responder(service, ONE_THREAD, budget, loop)
    asked = head("/models", BODY, "GET")
    with no_more_threads():
        refused = [given(responder, loop, asked) for _ in range(3)]

    answer = given(responder, loop, asked)

    assert [parsed(each)[0].status for each in refused] == [503] * 3
    assert parsed(answer)[0].status == 200
    assert budget.held == 0
