"""Who answers a request: the event loop what is brief, a thread all else."""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.errors import DeadlinePassed, Headers, OrdinateError, Overloaded
from app.http.fast import SETTLE, STARTED, FastPath, Unfinished
from app.http.refusing import is_vital, refused
from app.protocols.native import BRIEF_BYTES
from app.worker.admission import BUSY, Admission
from app.worker.answers import Heads, answer, fitted
from app.worker.budget import Budget
from app.worker.ends import Ends
from app.worker.heads import Head
from app.worker.job import Settle
from app.worker.line import Guest
from app.worker.pool import Bounds, Pool
from app.worker.refusals import PlainRequest, count_handshake, refuse

_ASIDE, _ASIDES = ("GET", "HEAD"), 2
LATE = "there was no answer within {:.0f} s: ask for fewer rows at a time, or try again later"


class Responder:
    """Answers whole requests by calling the application.

    Args:
        application: of WSGI; what it has at `wsgi_app` may be our fast path, or say by `is_brief`
            which paths it answers in well under a millisecond.
        bounds: of the requests that may take longer, which are left to threads.
        budget: of the bytes of all requests.
        loop: that must not wait for them.
        strict: headers of all answers that the application does not make.
    """

    def __init__(
        self,
        application: Any,
        bounds: Bounds,
        budget: Budget,
        loop: asyncio.AbstractEventLoop,
        strict: Headers = (),
    ) -> None:
        inner = getattr(application, "wsgi_app", None)
        self._application = application
        self._fast = inner if isinstance(inner, FastPath) else None
        self._is_brief = getattr(inner, "is_brief", _never)
        self._heads, self._strict = Heads(strict), strict
        waited = self._fast.served.waited if self._fast else _ignore
        self._threads = Pool("request", bounds, loop, waited)
        self.admission = Admission(loop, budget, bounds, self._threads, waited)
        # What operators ask must be answered also where predictions occupy every thread.
        self._asides = Pool("aside", replace(bounds, threads=_ASIDES), loop)

    def now(
        self, head: Head, ends: Ends, body: bytes, keep_alive: bool
    ) -> bytes | Unfinished | None:
        """The whole answer to a request that can be answered at once. Never raises.

        Args:
            head: of the request.
            ends: of the connection.
            body: all of it.
            keep_alive: whether the connection stays open.

        Returns:
            The answer; else what `later` has to know of what was done.
        """
        try:
            if head.plain is not None and self._fast is not None:
                lineup = self._fast.quick(head.plain)
                if lineup is not None:
                    found = self._fast.respond(head.plain, body, lineup, ends.sender, briefly=True)
                    return self._heads.answer(*found, keep_alive)
            elif len(body) <= BRIEF_BYTES and self._is_brief(head.environ["PATH_INFO"]):
                return answer(self._application, ends.environ() | head.environ, body, keep_alive)
        except Unfinished as unfinished:
            return unfinished
        except Exception as error:  # noqa: BLE001 - an application can raise anything
            return self._failed(head, ends, error, keep_alive)
        return None

    def later(
        self,
        head: Head,
        ends: Ends,
        body: bytes,
        keep_alive: bool,
        then: Callable[[bytes], None],
        unfinished: Unfinished | None = None,
    ) -> bytes | None:
        """Have a thread answer, and call `then` with the whole answer on the event loop.

        Args:
            head, ends, body, keep_alive: as for `now`.
            then: given the answer.
            unfinished: what `now` has found, if it was asked.

        Returns:
            None; where there is too much to do, a refusal, and `then` is not called.
        """
        begun = unfinished or Unfinished(time.perf_counter())
        pool = self._pool(head)
        if pool.is_full() and not is_vital(head.environ["PATH_INFO"]):
            return self.refused(head, ends, Overloaded(BUSY), keep_alive)

        def work(settle: Settle) -> bytes:
            try:
                return self._answer(head, ends, body, keep_alive, settle, begun)
            except BaseException as error:  # noqa: BLE001 - a model may even ask to end the process
                return self._failed(head, ends, error, keep_alive)

        release = self.admission.hold(head, len(body))

        def late() -> bytes:
            waited = time.perf_counter() - begun.started
            error = DeadlinePassed(LATE.format(waited))
            return self.refused(head, ends, error, keep_alive, waited)

        def done(answer: bytes) -> None:
            release()
            then(answer)

        if not pool.submit(work, late, done):
            release()
            return self.refused(head, ends, Overloaded(BUSY), keep_alive)
        return None

    def early(self, head: Head, ends: Ends) -> bytes | None:
        """The whole answer to a request that is refused whatever its body will be, else None."""
        if self._fast is not None and (found := self._fast.early(head.environ, ends.sender)):
            return fitted(head, self._heads.answer(*found, keep_alive=False))
        why = self.admission.refuses(head, self._pool_for(head))
        return None if why is None else self.refused(head, ends, Overloaded(why), False)

    def enters(self, guest: Guest, head: Head) -> bool:
        """Whether the body of a request is to be read now; else the client is told when it is."""
        return self.admission.enters(guest, head, self._pool_for(head))

    def refuse(self, error: Exception, remote: str | None) -> bytes:
        """The whole answer to what is no request."""
        strict = () if isinstance(error, PlainRequest) else self._strict
        return refuse(self._application, error, remote, strict)

    def unsecured(self, error: ssl.SSLError | Overloaded, remote: str | None) -> None:
        """Count a handshake that failed, or that there was no room for."""
        count_handshake(self._application, error, remote)

    def check(self, now: float) -> bool:
        """Refuse the requests whose time is up; whether the threads can still do their work."""
        for pool in (self._threads, self._asides):
            pool.check(now)
        self.admission.line.check()
        return not (self._threads.is_stuck(now) or self._asides.is_stuck(now))

    def give_all_up(self) -> None:
        """Refuse all requests that have no answer yet."""
        self.admission.line.close()
        for pool in (self._threads, self._asides):
            pool.give_all_up()

    def close(self) -> None:
        """Begin no further request."""
        for pool in (self._threads, self._asides):
            pool.close()

    def _pool(self, head: Head) -> Pool:
        asked = head.environ["REQUEST_METHOD"]
        return self._asides if self._fast is not None and asked in _ASIDE else self._threads

    def _pool_for(self, head: Head) -> Pool | None:
        """Who will answer a request that is right; None for the event loop."""
        if head.plain is not None and self._fast is not None:
            at_once = self._fast.quick(head.plain) is not None
        else:
            at_once = is_vital(head.environ["PATH_INFO"])
        return None if at_once else self._pool(head)

    def refused(
        self,
        head: Head,
        ends: Ends,
        error: OrdinateError,
        keep_alive: bool,
        waited: float = 0.0,
    ) -> bytes:
        """The whole answer to a request whose head is known, after it has waited for seconds."""
        if self._fast is None:
            return self._failed(head, ends, error, keep_alive)
        found = refused(self._fast.served, head.environ, error, waited)
        return fitted(head, self._heads.answer(*found, keep_alive))

    def _answer(
        self,
        head: Head,
        ends: Ends,
        body: bytes,
        keep_alive: bool,
        settle: Settle,
        begun: Unfinished,
    ) -> bytes:
        """Have the fast path answer, without the detour over WSGI, or the application."""
        if head.plain is not None and self._fast is not None:
            found = self._fast.respond(
                head.plain, body, None, ends.sender, settle, unfinished=begun
            )
            return self._heads.answer(*found, keep_alive)
        environ = ends.environ() | head.environ | {SETTLE: settle, STARTED: begun.started}
        return answer(self._application, environ, body, keep_alive)

    def _failed(self, head: Head, ends: Ends, error: BaseException, keep_alive: bool) -> bytes:
        remote = ends.sender.address
        said = refuse(self._application, error, remote, self._strict, keep_alive=keep_alive)
        return fitted(head, said)


def _never(_path: str) -> bool:
    return False


def _ignore(_seconds: float) -> None:
    pass
