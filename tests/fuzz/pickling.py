"""Pickles of models: read into an estimator, or refused; nothing runs and nothing is large."""

import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

import numpy as np
from sklearn.linear_model import Ridge, SGDRegressor
from sklearn.tree import DecisionTreeRegressor

from app.unpickling import unpickled
from tests.support.models import MIXED, PLAIN, fitted
from tests.support.pickles import dumped

LIMIT = 1 << 20
FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.", "socket.")

_called: list[str] = []
"""What was done that no reading of a model does."""

_reading: int | None = None
"""The thread that reads one; others may do as they like."""


def _listen(event: str, _arguments: object) -> None:
    if _reading == threading.get_ident() and event.startswith(FORBIDDEN):
        _called.append(event)


sys.addaudithook(_listen)


@cache
def _written() -> tuple[bytes, ...]:
    x = np.arange(12.0).reshape(6, 2)
    estimators = (Ridge(), SGDRegressor(tol=None, max_iter=2), DecisionTreeRegressor(max_depth=2))
    fits = [each.fit(x, x[:, 0]) for each in estimators]
    return tuple(dumped(each) for each in (*fits, fitted(PLAIN), fitted(MIXED)))


def seeds() -> Iterator[bytes]:
    """Small estimators, and the beginnings of programs that a pickle could be."""
    yield from _written()
    yield b"\x80\x04cos\nsystem\n(S'true'\ntR."
    yield b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R."
    yield b"\x80\x04N."


def check(data: bytes) -> None:
    """Read it: any ordinary exception is a refusal, which whoever opens a version takes for one."""
    with _watched(), warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")
        try:
            unpickled(data, LIMIT)
        except MemoryError:
            _called.append("memory")
    assert not _called, _called


@contextmanager
def _watched() -> Iterator[None]:
    global _reading  # noqa: PLW0603 - a hook of the interpreter can only be one for all
    _called.clear()
    _reading = threading.get_ident()
    try:
        yield
    finally:
        _reading = None
