"""A thread is there, or it is told that there is none."""

import threading

from app.threads import started
from tests.support.threads import no_more_threads

SECONDS = 20.0


def test_a_thread_does_what_it_is_given_and_keeps_no_process_from_its_end() -> None:
    told: list[str] = []

    thread = started(told.append, "teller", "done")

    assert thread is not None
    thread.join(SECONDS)
    assert told == ["done"]
    assert thread.daemon
    assert thread.name == "teller"


def test_where_there_is_none_that_is_told_and_nothing_is_left_of_it() -> None:
    before = threading.enumerate()

    with no_more_threads():
        thread = started(print, "teller")

    assert thread is None
    assert threading.enumerate() == before
