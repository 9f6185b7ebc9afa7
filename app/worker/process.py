"""A worker process: an event loop that gathers requests, and a few threads for the long ones."""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any, ClassVar

from gunicorn import sock as gunicorn_sockets
from gunicorn.workers.base import Worker as BaseWorker

from app.http.hsts import strict_transport
from app.http.service import EXTENSION
from app.worker.accepting import Acceptor
from app.worker.failures import teller
from app.worker.heads import Environ
from app.worker.memory import give_back
from app.worker.responding import Responder
from app.worker.server import Limits, Timed
from app.worker.shares import Shares

TICK_SECONDS = 0.5
LINGER_SECONDS = 2.0
DISCARDED_BYTES = 64 << 20
LOG_SECONDS = 0.01
"""Lines of requests are written together for so long, which a kill -9 can lose."""

SWITCH_SECONDS = 0.0005
"""After so long a thread lets the event loop go on, a tenth of Python's default: a model that is
loaded beside the requests would otherwise hold them up by 5 ms at a time."""

MAX_BODY_BYTES = 1 << 30
"""For applications that are not ours."""


class Worker(BaseWorker):  # type: ignore[misc]  # gunicorn has no types
    """One process of the service.

    gunicorn's master forks it, watches its heartbeat and replaces it; the sockets it listens on are
    shared with the other workers.
    """

    _shares: ClassVar[Shares | None] = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Prepare a worker, in the process that forks it."""
        super().__init__(*arguments, **named)
        cls = type(self)
        cls._shares = cls._shares or Shares()
        self.share = cls._shares.claim()

    def init_process(self) -> None:
        """Set up the event loop, then let gunicorn load the application and call `run`."""
        give_back()
        sys.setswitchinterval(SWITCH_SECONDS)
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.connections: set[Timed] = set()
        self.now = self.loop.time()
        self.stopping_since = inf
        self._sending: list[Callable[[], None]] = []
        self.share.enter()
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application, and with it the limits of its service."""
        super().load_wsgi()
        service = getattr(self.wsgi, "extensions", {}).get(EXTENSION)
        scheme = "https" if self.cfg.is_ssl else "http"
        strict = strict_transport(service.config.hsts, scheme) if service else ()
        self.responder = Responder(self.wsgi, self.cfg.threads, self.loop, strict)
        self._log = service.log if service else None
        config = service.config if service else None
        if self._log is not None:
            self.loop.set_exception_handler(teller(self._log))
        self.limits = Limits(
            request=config.request_timeout if config else 30,
            idle=self.cfg.keepalive,
            write=config.request_timeout if config else 30,
            linger=LINGER_SECONDS,
            discarded=DISCARDED_BYTES,
            body=config.max_body_bytes if config else MAX_BODY_BYTES,
            parser={
                "limit_request_line": self.cfg.limit_request_line,
                "limit_request_fields": self.cfg.limit_request_fields,
                "limit_request_field_size": self.cfg.limit_request_field_size,
            },
        )
        self.environ: Environ = {
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": scheme,
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
        tls = partial(gunicorn_sockets.ssl_context, self.cfg) if self.cfg.is_ssl else None
        self._acceptors = [self._acceptor(each.sock, tls) for each in self.sockets]
        for acceptor in self._acceptors:
            acceptor.start()
        self.loop.run_until_complete(self._serve())
        for acceptor in self._acceptors:
            acceptor.stop()
        self.share.leave()
        self.loop.run_until_complete(self._drain())
        self.responder.close()

    # ---- what connections ask for -----------------------------------------------------------

    def join(self, connection: Timed) -> None:
        """Have a connection looked after, and others know that there is one more."""
        self.connections.add(connection)
        self.share.tell(len(self.connections))

    def leave(self, connection: Timed) -> None:
        """Forget it."""
        self.connections.discard(connection)
        self.share.tell(len(self.connections))

    def send_soon(self, send: Callable[[], None]) -> None:
        """Send when all requests that are here by now are answered.

        A client that waits on another core has to be woken by the system for each answer that it
        has gone to sleep before; of answers that come together only the first wakes it.
        """
        if not self._sending:
            self.loop.call_soon(self._send)
        self._sending.append(send)

    def _send(self) -> None:
        sending, self._sending = self._sending, []
        for send in sending:
            send()

    # ---- the life of the process ------------------------------------------------------------

    def _acceptor(self, listener: socket.socket, tls: Any) -> Acceptor:
        listener.setblocking(False)
        return Acceptor(self, listener, tls, loop=self.loop, warn=self.log.warning)

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


def _ignore() -> None:
    """Do nothing, unlike the default of a signal."""
