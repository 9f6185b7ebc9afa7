"""A system that has no thread to spare."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def no_more_threads() -> Iterator[None]:
    """A moment in which no thread can be started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Thread, "start", _fail)
        yield


def _fail(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
