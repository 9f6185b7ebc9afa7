"""Who answers a request: the event loop what is brief, a thread all else."""

import asyncio
import ssl
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from app.errors import Headers
from app.http.fast import BRIEF_BYTES, SENDER, FastPath, Plain
from app.registry import Lineup
from app.security import Sender
from app.worker.answers import Heads, answer
from app.worker.heads import Environ, Head
from app.worker.refusals import PlainRequest, count_handshake, refuse


class Responder:
    """Answers whole requests by calling the application.

    Args:
        application: of WSGI; what it has at `wsgi_app` may be our fast path, or say by `is_brief`
            which paths it answers in well under a millisecond.
        threads: for requests that may take longer.
        loop: that must not wait for them.
        strict: headers of all answers that the application does not make.
    """

    def __init__(
        self,
        application: Any,
        threads: int,
        loop: asyncio.AbstractEventLoop,
        strict: Headers = (),
    ) -> None:
        inner = getattr(application, "wsgi_app", None)
        self._application = application
        self._fast = inner if isinstance(inner, FastPath) else None
        self._is_brief = getattr(inner, "is_brief", _never)
        self._heads, self._strict = Heads(strict), strict
        self._threads = ThreadPoolExecutor(threads, "request")
        self._loop = loop

    def now(self, head: Head, ends: Environ, body: bytes, keep_alive: bool) -> bytes | None:
        """The whole answer to a request that can be answered at once, else None. Never raises.

        Args:
            head: of the request.
            ends: what the environment says of the connection.
            body: all of it.
            keep_alive: whether the connection stays open.
        """
        if head.plain is not None and self._fast is not None:
            lineup = self._fast.quick(head.plain)
            if lineup is not None:
                sender = ends[SENDER]
                return self._predict(self._fast, head.plain, body, keep_alive, lineup, sender)
        elif len(body) <= BRIEF_BYTES and self._is_brief(head.environ["PATH_INFO"]):
            return self._answer(ends | head.environ, body, keep_alive)
        return None

    def later(
        self,
        head: Head,
        ends: Environ,
        body: bytes,
        keep_alive: bool,
        then: Callable[[bytes], None],
    ) -> None:
        """Answer in a thread, and call `then` with the whole answer on the event loop."""
        if head.plain is not None and self._fast is not None:
            plain, sender = head.plain, ends[SENDER]
            work = partial(self._predict, self._fast, plain, body, keep_alive, None, sender)
        else:
            work = partial(self._answer, ends | head.environ, body, keep_alive)

        def done(future: "Future[bytes]") -> None:
            if not future.cancelled():
                self._loop.call_soon_threadsafe(then, future.result())

        self._threads.submit(work).add_done_callback(done)

    def early(self, head: Head, ends: Environ) -> bytes | None:
        """The whole answer to a request that is refused whatever its body will be, else None."""
        if self._fast is None or (found := self._fast.early(head.environ, ends[SENDER])) is None:
            return None
        outcome, request_id = found
        return self._heads.answer(outcome, request_id, False)

    def refuse(self, error: Exception, remote: str | None) -> bytes:
        """The whole answer to what is no request."""
        strict = () if isinstance(error, PlainRequest) else self._strict
        return refuse(self._application, error, remote, strict)

    def unsecured(self, error: ssl.SSLError, remote: str) -> None:
        """Count a handshake that failed."""
        count_handshake(self._application, error, remote)

    def close(self) -> None:
        """Begin no further request."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _predict(
        self,
        fast: FastPath,
        plain: Plain,
        body: bytes,
        keep_alive: bool,
        lineup: Lineup | None,
        sender: Sender,
    ) -> bytes:
        """Have the fast path answer, without the detour over WSGI."""
        outcome, request_id = fast.respond(plain, body, lineup, sender)
        return self._heads.answer(outcome, request_id, keep_alive)

    def _answer(self, environ: Environ, body: bytes, keep_alive: bool) -> bytes:
        remote = environ["REMOTE_ADDR"]
        try:
            return answer(self._application, environ, body, keep_alive)
        except Exception as error:  # noqa: BLE001 - an application can raise anything
            return refuse(self._application, error, remote, self._strict)


def _never(_path: str) -> bool:
    return False
