"""A request that a thread is to answer, and who else may answer it."""

from collections.abc import Callable

Answer = Callable[[bytes], None]
Settle = Callable[[], bool]
Work = Callable[[Settle], bytes]


class Job:
    """A request in the hands of the pool, which holds its lock around all but the work.

    Attributes:
        since: when it came, on the event loop's clock.
        begun: whether a thread has taken it, or nobody will.
        is_settled: whether its answer is made and told of, so that no other will be given.
    """

    __slots__ = (
        *("_ended", "_given_up", "_late", "_refuse", "_then", "_work"),
        *("begun", "is_settled", "since"),
    )

    def __init__(self, work: Work, refuse: Callable[[], bytes], then: Answer, since: float) -> None:
        self._work, self._refuse, self.since = work, refuse, since
        self._then: Answer | None = then
        self.begun = self.is_settled = self._ended = self._given_up = self._late = False

    def work(self, settle: Settle) -> bytes:
        """Do it, and let go of the request."""
        work, self._work = self._work, _nothing
        return work(settle)

    def settle(self) -> bool:
        """Say that there is an answer; False where time was up before, and nobody waits for it."""
        self.is_settled = not self._given_up
        return self.is_settled

    def end(self) -> bool:
        """Say that the thread is done with it; whether another has taken the thread's place."""
        self._ended = True
        return self._late

    def give_up(self) -> bool:
        """Say that its time is up; whether a thread is still at work on it."""
        self._late = self.begun and not self._ended
        self.begun = self._given_up = True
        return self._late

    def answer(self, answer: bytes | None = None) -> None:
        """Give the answer, without one the refusal, to whoever waits; only the first counts."""
        then, self._then = self._then, None
        if then is not None:
            then(self._refuse() if answer is None else answer)


def _nothing(_settle: Settle) -> bytes:
    return b""
