"""Errors on the event loop: told, without what led to them."""

import asyncio
import json
from typing import NoReturn

import pytest

from app.telemetry import Log
from app.worker.failures import teller


def _fail(data: bytes) -> NoReturn:
    raise ValueError(f"cannot read {data!r}")


def test_an_error_is_told_by_its_kind_and_place_without_the_data(
    capfd: pytest.CaptureFixture[str],
) -> None:
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(teller(Log()))
    loop.call_soon(_fail, b"canary")
    loop.call_soon(loop.stop)

    loop.run_forever()
    loop.call_exception_handler({"message": "something else"})
    loop.close()

    told = capfd.readouterr().err
    first, second = map(json.loads, told.splitlines())
    assert first["error"] == "ValueError"
    assert first["trace"][-1].endswith(" _fail")
    assert second["reason"] == "something else"
    assert "canary" not in told
