"""A worker process: an event loop that gathers requests, and a few threads for the long ones."""

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from math import inf
from typing import Any, ClassVar

from gunicorn import sock as gunicorn_sockets
from gunicorn.workers.base import Worker as BaseWorker

from app.http.hsts import strict_transport
from app.http.service import EXTENSION
from app.worker.accepting import Acceptor, let_out
from app.worker.allowances import OTHERS, allowed
from app.worker.capacity import make_room, room
from app.worker.doorstep import Doorstep
from app.worker.draining import Drain
from app.worker.failures import teller
from app.worker.fork_signals import ForkSignals
from app.worker.heads import common
from app.worker.memory import Idleness, give_back
from app.worker.responding import Responder
from app.worker.server import Timed
from app.worker.shares import Shares
from app.worker.turn import Turn

TICK_SECONDS = 0.5
LAST_SECONDS = 0.5
"""So long before the master's patience ends, all that waits is refused."""

LOOK_SECONDS = 0.1
"""A worker that has found no idle connection does not look for another before."""

LOG_SECONDS = 0.02
"""A request's line waits so long at most for others to be written with, which a kill -9 can lose.
Under load they are written sooner, some two dozen at a time."""

SETTLE_SECONDS = 0.01
"""What is still to be sent at the end has so long."""

SWITCH_SECONDS = 0.0005
"""After so long a thread lets the event loop go on, a tenth of Python's default: a model that is
loaded beside the requests would otherwise hold them up by 5 ms at a time."""


class Worker(BaseWorker):  # type: ignore[misc]  # gunicorn has no types
    """One process of the service.

    gunicorn's master forks it, watches its heartbeat and replaces it; the sockets it listens on are
    shared with the other workers.
    """

    _shares: ClassVar[Shares | None] = None
    _fork_signals: ClassVar[ForkSignals | None] = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Prepare a worker, in the process that forks it."""
        super().__init__(*arguments, **named)
        cls = type(self)
        cls._shares = cls._shares or Shares()
        self.share = cls._shares.claim()
        cls._fork_signals = cls._fork_signals or ForkSignals()
        cls._fork_signals.announce()

    @classmethod
    def on_reload(cls) -> None:
        """Have the present workers know that others take over. For the parent alone."""
        if cls._shares is not None:
            cls._shares.reloaded()

    @classmethod
    def on_stop(cls, *, is_last: bool) -> None:
        """Have them know that nobody does; `is_last` if no process else has their sockets."""
        if cls._shares is not None:
            cls._shares.stopped(is_last=is_last)

    def init_process(self) -> None:
        """Set up the event loop, then let gunicorn load the application and call `run`."""
        give_back()
        sys.setswitchinterval(SWITCH_SECONDS)
        self.turn = Turn()
        self.loop = asyncio.SelectorEventLoop(self.turn)
        self.turn.belong(self.loop)
        asyncio.set_event_loop(self.loop)
        self.connections: set[Timed] = set()
        self.keeps_alive = self.cfg.keepalive > 0
        self.stopping_since = self._end = inf
        self._left, self._is_stuck, self._no_room_until = asyncio.Event(), False, -inf
        self._idleness = Idleness()
        self.share.enter()
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application, and with it the limits of its service."""
        super().load_wsgi()
        service = getattr(self.wsgi, "extensions", {}).get(EXTENSION)
        scheme = "https" if self.cfg.is_ssl else "http"
        config = service.config if service else OTHERS
        strict = strict_transport(config.hsts, scheme) if service else ()
        self.limits, bounds, budget = allowed(config, self.cfg)
        self.responder = Responder(self.wsgi, bounds, budget, self.loop, strict)
        self.doorstep = Doorstep(self.loop, partial(let_out, self, self.loop))
        self._leaving = service.leaving if service else threading.Event()
        self._watch = service.watcher.ensure if service else _ignore
        self._stop_delay = config.stop_delay
        self._log = service.log if service else None
        if self._log is not None:
            self.loop.set_exception_handler(teller(self._log))
        self.environ = common(scheme)

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
        if self._fork_signals is not None:
            self._fork_signals.over()

    def run(self) -> None:
        """Serve until told to stop, then answer what has been asked."""
        if self._log is None:
            self._run()
            return
        self._log.gather(partial(self.loop.call_later, LOG_SECONDS), self.turn.at_end)
        try:
            self._run()
        finally:  # however it ends, short of a kill -9
            self._log.flush()

    def _run(self) -> None:
        gc.freeze()  # what is loaded stays: collections need not look at it, nor copy its pages
        tls = partial(gunicorn_sockets.ssl_context, self.cfg) if self.cfg.is_ssl else None
        most = room(self.cfg.worker_connections, self.log.warning)
        self._acceptors = [self._acceptor(each.sock, tls, most) for each in self.sockets]
        self.responder.admission.lag.start()
        for acceptor in self._acceptors:
            acceptor.start()
        self.loop.run_until_complete(self._serve())
        self.share.leave()
        if self._is_stuck:
            for acceptor in self._acceptors:
                acceptor.stop()
        self.loop.run_until_complete(self._drain())
        self.responder.close()

    def join(self, connection: Timed) -> None:
        """Have a connection looked after, and others know that there is one more."""
        self.connections.add(connection)
        self.share.tell(len(self.connections))

    def leave(self, connection: Timed) -> None:
        """Forget it."""
        self.connections.discard(connection)
        self.share.tell(len(self.connections))

    def make_room(self) -> bool:
        """Close connections that are idle; whether there were any."""
        now = self.loop.time()
        if now < self._no_room_until:
            return False
        found = make_room(self.connections, now)
        self._no_room_until = now + (0 if found else LOOK_SECONDS)
        return found

    def _acceptor(self, listener: socket.socket, tls: Any, most: int) -> Acceptor:
        listener.setblocking(False)
        return Acceptor(self, listener, tls, most=most, loop=self.loop, warn=self.log.warning)

    async def _serve(self) -> None:
        while self.alive:
            self._beat()
            if self.ppid != os.getppid():
                self.log.info("The master is gone, so this worker goes as well.")
                break
            with suppress(TimeoutError):
                await asyncio.wait_for(self._left.wait(), TICK_SECONDS)

    def _beat(self) -> None:
        self.notify()
        self._check_times()
        self._watch()  # it may have found no thread before

    def _check_times(self) -> None:
        now = self.loop.time()
        for connection in tuple(self.connections):
            connection.check_time(now)
        self._idleness.check(self.turn.has_answered)
        self.turn.has_answered = False
        if not self.responder.check(now) and self.alive:
            self.log.error("Requests hang in too many threads: this worker makes way for another.")
            self._is_stuck = True
            self._leave()

    async def _drain(self) -> None:
        """Let requests in flight be answered, and connections without one go."""
        self._leave()
        end = min(self._end, self.loop.time() + self.cfg.graceful_timeout) - LAST_SECONDS
        drain = Drain(self._acceptors, self.connections, self.doorstep, self.loop, self._beat)
        if not self._is_stuck:
            await drain.close(end, is_last=self.share.is_last)
        await drain.answer(end)
        self.responder.give_all_up()
        await asyncio.sleep(SETTLE_SECONDS)

    def _stop(self) -> None:
        """Be told to stop, and leave; if all are, first say so where one asks who is ready."""
        self._end = min(self._end, self.loop.time() + self.cfg.graceful_timeout)
        if self.share.is_outdated:
            self._leave()
            return
        if self.share.is_stopped:  # else others serve on, unless the master says so later
            self._leaving.set()
        self.loop.call_later(self._stop_delay, self._leave)

    def _leave(self) -> None:
        """Take no more connections, and end those there are after their next answer."""
        self.alive = self.keeps_alive = False
        self._left.set()
        self.stopping_since = min(self.stopping_since, self.loop.time())

    def _stop_now(self) -> None:
        self.cfg.worker_int(self)
        sys.exit(0)


def _ignore() -> None:
    """Do nothing: unlike the default of a signal, or for want of a service."""
