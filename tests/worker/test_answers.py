"""Answers as bytes, made by many threads at once."""

from email.utils import formatdate
from typing import Any

import pytest

from app.http.outcome import Outcome
from app.worker.answers import Dates, Heads

LATER = 2_000_000_000.0
"""Unix time."""


class Between:
    """Writes dates, and lets somebody else go on before each of them is written."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._others, self.seen = list[Any](), list[Any]()
        patch.setattr("app.worker.answers.formatdate", self._date)
        patch.setattr("app.worker.answers.time.time", lambda: LATER)

    def then(self, other: Any) -> None:
        self._others.append(other)

    def _date(self, second: int, *, usegmt: bool) -> str:
        while self._others:
            self.seen.append(self._others.pop()())
        return formatdate(second, usegmt=usegmt)


def test_whoever_asks_while_a_date_is_written_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    dates, between = Dates(), Between(monkeypatch)
    between.then(dates.line)

    line = dates.line()

    assert line == "Date: Wed, 18 May 2033 03:33:20 GMT\r\n"
    assert between.seen == [line]


def test_whoever_answers_while_a_head_is_written_sends_a_whole_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.worker.answers._dates", Dates())
    heads, between = Heads(), Between(monkeypatch)
    between.then(lambda: heads.answer(Outcome(200, b"{}"), "id", True))

    whole = heads.answer(Outcome(200, b"{}"), "id", True)

    assert whole.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nDate: Wed, 18 May 2033 03:33:20 GMT\r\n" in whole
    assert between.seen == [whole]
