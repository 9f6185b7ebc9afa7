"""A worker process: an event loop that gathers requests, and a few threads for the long ones."""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from math import inf
from typing import Any

from gunicorn import sock as gunicorn_sockets
from gunicorn.workers.base import Worker as BaseWorker

from app.http.fast import BRIEF_BYTES, FastPath, Plain
from app.http.service import EXTENSION
from app.registry import Lineup
from app.worker.accepting import Acceptor
from app.worker.answers import Heads, answer
from app.worker.connection import Connection
from app.worker.heads import Environ
from app.worker.refusals import refuse
from app.worker.server import Limits

TICK_SECONDS = 0.5
LINGER_SECONDS = 2.0
LOG_SECONDS = 0.01
"""Lines of requests are written together for so long, which a kill -9 can lose."""

MAX_BODY_BYTES = 1 << 30
"""For applications that are not ours."""


class Worker(BaseWorker):  # type: ignore[misc]  # gunicorn has no types
    """One process of the service.

    gunicorn's master forks it, watches its heartbeat and replaces it; the sockets it listens on are
    shared with the other workers.
    """

    def init_process(self) -> None:
        """Set up the event loop, then let gunicorn load the application and call `run`."""
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.connections: set[asyncio.Protocol] = set()
        self.now = self.loop.time()
        self.stopping_since = inf
        self._written = Heads()
        self._sending: list[Callable[[], None]] = []
        self._threads = ThreadPoolExecutor(self.cfg.threads, "request")
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application, and with it the limits of its service."""
        super().load_wsgi()
        service = getattr(self.wsgi, "extensions", {}).get(EXTENSION)
        application = getattr(self.wsgi, "wsgi_app", None)
        self._brief = getattr(application, "is_brief", _never)
        self.fast = application if isinstance(application, FastPath) else None
        self._log = service.log if service else None
        config = service.config if service else None
        self.limits = Limits(
            request=config.request_timeout if config else 30,
            idle=self.cfg.keepalive,
            write=config.request_timeout if config else 30,
            linger=LINGER_SECONDS,
            body=config.max_body_bytes if config else MAX_BODY_BYTES,
            parser={
                "limit_request_line": self.cfg.limit_request_line,
                "limit_request_fields": self.cfg.limit_request_fields,
                "limit_request_field_size": self.cfg.limit_request_field_size,
            },
        )
        self.environ: Environ = {
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https" if self.cfg.is_ssl else "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
            "SERVER_SOFTWARE": "ordinate",
        }

    def init_signals(self) -> None:
        """Have signals handled between two events, never within a request."""
        for number in self.SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        handlers: dict[signal.Signals, Callable[[], None]] = {
            signal.SIGTERM: self._stop,
            signal.SIGQUIT: self._stop_now,
            signal.SIGINT: self._stop_now,
            signal.SIGUSR1: self.log.reopen_files,
            signal.SIGWINCH: _ignore,
        }
        for number, handler in handlers.items():
            self.loop.add_signal_handler(number, handler)
        # The master aborts a worker without a heartbeat: no event may be needed to obey.
        signal.signal(signal.SIGABRT, self.handle_abort)

    def run(self) -> None:
        """Serve until told to stop, then answer what has been asked."""
        if self._log is not None:
            self._log.gather(partial(self.loop.call_later, LOG_SECONDS))
        gc.freeze()  # what is loaded stays: collections need not look at it, nor copy its pages
        tls = gunicorn_sockets.ssl_context(self.cfg) if self.cfg.is_ssl else None
        self._acceptors = [self._acceptor(each.sock, tls) for each in self.sockets]
        for acceptor in self._acceptors:
            acceptor.start()
        self.loop.run_until_complete(self._serve())
        for acceptor in self._acceptors:
            acceptor.stop()
        self.loop.run_until_complete(self._drain())
        self._threads.shutdown(wait=False, cancel_futures=True)

    # ---- what connections ask for -----------------------------------------------------------

    def is_brief(self, path: str, length: int) -> bool:
        """Whether a request that is no plain prediction is answered as fast."""
        return length <= BRIEF_BYTES and bool(self._brief(path))

    def predict(self, plain: Plain, body: bytes, keep_alive: bool, lineup: Lineup | None) -> bytes:
        """Have the fast path answer, without the detour over WSGI."""
        assert self.fast is not None
        outcome, request_id = self.fast.respond(plain, body, lineup)
        return self._written.answer(outcome, request_id, keep_alive)

    def answer(self, environ: Environ, body: bytes, keep_alive: bool) -> bytes:
        """Have the application answer a request."""
        remote = environ["REMOTE_ADDR"]
        try:
            return answer(self.wsgi, environ, body, keep_alive)
        except Exception as error:  # noqa: BLE001 - an application can raise anything
            return refuse(self.wsgi, error, remote)

    def refuse(self, error: Exception, remote: str | None) -> bytes:
        """Answer what is no request."""
        return refuse(self.wsgi, error, remote)

    def send_soon(self, send: Callable[[], None]) -> None:
        """Send when all requests that are here by now are answered."""
        if not self._sending:
            self.loop.call_soon(self._send)
        self._sending.append(send)

    def _send(self) -> None:
        sending, self._sending = self._sending, []
        for send in sending:
            send()

    def in_thread(self, work: Callable[[], bytes], then: Callable[[bytes], None]) -> None:
        """Do some work beside the event loop, and then something on it."""

        def done(future: "Future[bytes]") -> None:
            if not future.cancelled():
                self.loop.call_soon_threadsafe(then, future.result())

        self._threads.submit(work).add_done_callback(done)

    # ---- the life of the process ------------------------------------------------------------

    def _acceptor(self, listener: socket.socket, tls: Any) -> Acceptor:
        listener.setblocking(False)
        alone, warn = self.cfg.workers == 1, self.log.warning
        return Acceptor(self, listener, tls, alone=alone, loop=self.loop, warn=warn)

    async def _serve(self) -> None:
        while self.alive:
            self.notify()
            if self.ppid != os.getppid():
                self.log.info("The master is gone, so this worker goes as well.")
                break
            self._check_times()
            await asyncio.sleep(TICK_SECONDS)

    def _check_times(self) -> None:
        self.now = now = self.loop.time()
        for connection in tuple(self.connections):
            assert isinstance(connection, Connection)
            connection.check_time(now)

    async def _drain(self) -> None:
        """Let requests in flight be answered, and connections without one go."""
        self._stop()
        until = self.loop.time() + self.cfg.graceful_timeout
        while self.loop.time() < until:
            if not self.connections and all(acceptor.idle for acceptor in self._acceptors):
                break
            self.notify()
            self._check_times()
            await asyncio.sleep(0.02)

    def _stop(self) -> None:
        self.alive = False
        self.stopping_since = min(self.stopping_since, self.loop.time())

    def _stop_now(self) -> None:
        self.cfg.worker_int(self)
        sys.exit(0)


def _never(_path: str) -> bool:
    return False


def _ignore() -> None:
    """Do nothing, unlike the default of a signal."""
