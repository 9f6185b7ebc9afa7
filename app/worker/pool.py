"""A few threads for long requests, and a bounded queue before them.

A thread cannot be ended from outside. One that is still at work when its request's time is up is
given up: the request is answered, another thread takes its place, and the worker goes when too many
have to be replaced, or one of them for too long.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue

from app.threads import started
from app.worker.job import Answer, Job, Work

_NEWEST = 0.1
"""Share of the newest of the measurements that are averaged."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may wait, and how long.

    Attributes:
        threads: at work at a time.
        waiting: requests that may wait for one of them.
        wait: seconds that one of those may wait, by what the last ones took, or the first of them
            has waited, before no more are taken.
        deadline: seconds from a whole request to its answer.
    """

    threads: int
    waiting: int
    wait: float
    deadline: float


class Pool:
    """Threads and their queue. Everything but `_run` is for the thread of the event loop.

    Args:
        name: of the threads.
        bounds: of the queue.
        loop: on which answers are given.
        waited: told for how many seconds a request has waited when a thread takes it.
    """

    def __init__(
        self,
        name: str,
        bounds: Bounds,
        loop: asyncio.AbstractEventLoop,
        waited: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._name, self._bounds, self._loop, self._waited = name, bounds, loop, waited
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._waiting: deque[Job] = deque()  # and such as have begun meanwhile
        self._jobs: dict[Job, None] = {}  # without an answer, oldest first
        self._late: set[Job] = set()  # given up, and still worked on
        self._threads = 0  # without those
        self._lock = threading.Lock()  # over who has a job
        self._busy = 0  # threads at work on a job that was not given up
        self._pace = 0.0  # seconds from one answer to the next, with that many at work

    def is_full(self, coming: int = 0) -> bool:
        """Whether a request that comes now is not to be taken, as it would wait too long.

        Args:
            coming: requests that were let in and are not here yet.
        """
        if self.has_no_place():
            return True
        with self._lock:  # so that none of them begins meanwhile
            waiting = self._settled()
        if waiting and self._loop.time() - waiting[0].since > self._bounds.wait:
            return True
        count = len(waiting) + coming
        return count >= self._bounds.threads and count * self._pace > self._bounds.wait

    def has_no_place(self, elsewhere: int = 0) -> bool:
        """Whether as many wait as may, with some who will come here and wait elsewhere."""
        with self._lock:
            waiting, free = len(self._settled()), self._bounds.threads - self._busy
        return waiting + elsewhere - free >= self._bounds.waiting  # those have a thread to wake

    def _settled(self) -> deque[Job]:
        """The jobs that wait, without those that have begun."""
        waiting = self._waiting
        while waiting and waiting[0].begun:
            waiting.popleft()
        return waiting

    def submit(self, work: Work, refuse: Callable[[], bytes], then: Answer) -> bool:
        """Have a request answered.

        Args:
            work: done in a thread; gives the whole answer and never raises. It is given what to ask
                before the answer is counted and logged: whether it is the one that will be sent.
            refuse: done on the event loop if time is up before; gives the answer that says so.
            then: given one of both answers, on the event loop.

        Returns:
            Whether it will be; False, and none of these is called, where there is no thread for it
            and the system has none to spare.
        """
        job = Job(work, refuse, then, self._loop.time())
        self._jobs[job] = None
        if not self._staff():
            del self._jobs[job]
            return False
        self._waiting.append(job)
        self._queue.put(job)
        return True

    def check(self, now: float) -> None:
        """Refuse the requests whose time is up. To be called every now and then."""
        for job in tuple(self._jobs):
            if now - job.since < self._bounds.deadline:
                break
            self._give_up(job)
        self._staff()  # the system may have had no thread when one was needed

    def give_all_up(self) -> None:
        """Refuse all requests that have no answer yet."""
        for job in tuple(self._jobs):
            self._give_up(job)

    def is_stuck(self, now: float) -> bool:
        """Whether half as many threads as there may be were given up, or one twice as long ago."""
        if 2 * len(self._late) >= self._bounds.threads:
            return bool(self._late)
        return any(now - job.since >= 2 * self._bounds.deadline for job in self._late)

    def close(self) -> None:
        """Begin no further request; threads end when they are done, or with the process."""
        self.give_all_up()
        for _ in range(self._threads):
            self._queue.put(None)

    def _staff(self) -> bool:
        """Start a thread if there is work for one more; whether there is any thread."""
        if self._threads < min(self._bounds.threads, len(self._jobs)):
            # A daemon: one that hangs must not keep the process from its end.
            self._threads += started(self._run, self._name) is not None
        return self._threads > 0

    def _give_up(self, job: Job) -> None:
        with self._lock:
            if job.is_settled:  # its answer is on the way
                return
            is_late = job.give_up()
            self._busy -= is_late
        del self._jobs[job]
        if is_late:
            self._late.add(job)
            self._threads -= 1
            self._staff()
        job.answer()

    def _done(self, job: Job, answer: bytes, pace: float) -> None:
        self._jobs.pop(job, None)
        self._late.discard(job)
        self._pace += _NEWEST * (pace - self._pace)
        job.answer(answer)

    def _take(self, job: Job) -> bool:
        """Whether a thread is to do it. A request whose time is up is left to the next check."""
        waited = self._loop.time() - job.since
        with self._lock:
            if job.begun:
                return False
            job.begun = waited < self._bounds.deadline
            self._busy += job.begun
        if job.begun:
            self._waited(waited)
        return job.begun

    def _settle(self, job: Job) -> bool:
        with self._lock:
            return job.settle()

    def _run(self) -> None:
        """Do what comes, in a thread."""
        while (job := self._queue.get()) is not None:
            if not self._take(job):
                continue
            begun = self._loop.time()
            answer = job.work(partial(self._settle, job))
            took = self._loop.time() - begun
            with self._lock:
                pace = took / max(1, self._busy)
                is_replaced = job.end()
                self._busy -= not is_replaced
            try:
                self._loop.call_soon_threadsafe(self._done, job, answer, pace)
            except RuntimeError:  # the loop is closed: the process is about to end
                return
            if is_replaced:
                return
            del job, answer  # not to be held until the next one comes
