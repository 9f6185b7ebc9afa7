"""One client: its bytes gathered into whole requests, each answered in the order it came.

A request occupies nothing but its bytes until all of it is here. Then a brief one is answered at
once, on the event loop; any other in a thread, while the loop goes on serving everybody else.
"""

import asyncio
from functools import partial
from math import inf

from app.errors import OrdinateError, Overloaded
from app.worker.admission import BUSY, FULL
from app.worker.answers import CONTINUE
from app.worker.budget import SMALL_BYTES
from app.worker.ends import Ends
from app.worker.heads import Head
from app.worker.server import Server
from app.worker.timing import Timing

_MAX_WAITING = 1 << 16
"""Bytes of further requests that may wait while one is being answered."""

_TURN = 16
"""Requests of one client that are answered before another client has a turn."""


class Connection(Timing):
    """The bytes of one client."""

    __slots__ = ("_ends", "_head", "_weight")

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(server, loop)
        self._weight = 0
        self._head: Head | None = None  # of a request whose body is still to come

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a first request."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        told = transport.get_extra_info
        here = told("socket").getsockname  # a method of the transport would make it a cycle
        there = told("peername")
        self._ends = Ends(self._server.environ, here, there, told("peercert"))
        self._server.join(self)
        if there is None:  # it is gone, and must not pass for somebody without an address
            self.close()
            transport.abort()

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget the client."""
        self._server.leave(self)
        self._server.responder.admission.line.leave(self)
        self._transport = None
        self._cutter.clear()
        self._weigh()

    def data_received(self, data: bytes) -> None:
        """Take what has arrived, and answer as soon as it is a request."""
        if self._closing:
            self._discard(data)
            return
        cutter = self._cutter
        if not (self._busy or self._stalled) and (request := cutter.whole(data)) is not None:
            self._serve(*request)  # as nearly all are
            return
        begun = cutter.begun
        cutter.add(data)
        self._advance()
        if not cutter.begun:
            if self._weight:
                self._weigh()
            return
        self._weigh()
        if not begun:
            self._since = self._now()
        if cutter.waiting > _MAX_WAITING and self._transport is not None:
            self._transport.pause_reading()

    def _weigh(self) -> None:
        """Count what is held for this client, and refuse a request that is too much."""
        budget, held = self._server.responder.admission.budget, self._cutter.held
        if self._stalled and self._transport is not None:
            held += self._transport.get_write_buffer_size()
        budget.held += held - self._weight
        self._weight = held
        if budget.is_exceeded and held > SMALL_BYTES and not self._is_answering():
            self._refuse(Overloaded(FULL))

    def eof_received(self) -> bool:
        """Answer what was asked before the client closed its side; whole requests only."""
        self._ended = True
        return self._is_answering() and not self._closing

    def pause_writing(self) -> None:
        """Read no more of a client that lets its answer wait, and measure for how long."""
        self._stalled, self._since = True, self._now()
        if self._transport is not None:
            self._transport.pause_reading()  # what it sent would be held as long
        self._weigh()

    def resume_writing(self) -> None:
        """Go on with requests that came behind an answer the client has now taken."""
        self._stalled, self._since = False, self._now()
        self._weigh()
        self._go_on()

    def _advance(self) -> None:
        """Answer the requests that are whole, until one is left to wait for."""
        cutter = self._cutter
        for _ in range(_TURN):
            if self._busy or self._closing or self._stalled or self._queued or self._waits:
                return
            try:
                request = cutter.next()
            except Exception as error:  # noqa: BLE001 - whatever it is, the client is answered
                self._refuse(error)
                return
            if request is None:
                self._look_ahead()
            else:
                self._head = None
                self._serve(*request)
            if not cutter.waiting:
                return
            if request is None:
                break
        self._queued = True
        self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._queued = False
        self._go_on()

    def _look_ahead(self) -> None:
        """Answer before the body is here, if it will not matter; encourage a client that asks."""
        head = self._cutter.new_head()
        if head is None:
            return
        answer = self._server.responder.early(head, self._ends)
        if answer is not None:
            self._close_with(answer)
            self._part()
            return
        self._head = head
        if self._server.responder.enters(self, head):
            self._encourage(head)
        elif self._transport is not None:
            self._waits = True
            self._transport.pause_reading()

    def _encourage(self, head: Head) -> None:
        asks = "HTTP_EXPECT" in head.environ
        if asks and head.environ["SERVER_PROTOCOL"] != "HTTP/1.0":  # which knows no such answer
            self._write(CONTINUE)

    def let_in(self) -> None:
        """Read the body that was left with the client; its time begins now."""
        self._waits, self._since = False, self._now()
        if self._head is not None:
            self._encourage(self._head)
        self._go_on()

    def turn_away(self) -> None:
        """Refuse the request whose body was left with the client."""
        self._waits = False
        self._refuse(Overloaded(BUSY))
        self._part()

    def _go_on(self) -> None:
        """Take up what arrived while an answer was being made or taken, or others had a turn."""
        if self._busy or self._closing or self._queued or self._waits or self._transport is None:
            return
        self._advance()
        self._weigh()
        if self._cutter.waiting <= _MAX_WAITING and not (self._stalled or self._waits):
            self._transport.resume_reading()
        self._close_if_done()

    def _close_if_done(self) -> None:
        """Close the connection of a client that will ask no more and has all its answers."""
        if self._ended and not self._is_answering() and self._transport is not None:
            self._transport.close()

    def _serve(self, head: Head, body: bytes, overlong: bool) -> None:
        server = self._server
        keep_alive = head.keep_alive and not overlong and server.keeps_alive
        found = server.responder.now(head, self._ends, body, keep_alive)
        if isinstance(found, bytes):
            self._answered(keep_alive, found)
            return
        self._busy = True
        then = partial(self._answered, keep_alive)
        answer = server.responder.later(head, self._ends, body, keep_alive, then, found)
        if answer is not None:
            self._busy = False
            then(answer)

    def _answered(self, keep_alive: bool, answer: bytes) -> None:
        was_busy, self._busy = self._busy, False
        if not keep_alive:
            self._close_with(answer)
            return
        self._since = inf
        if self._cutter.waiting:
            self._write(answer)
        else:
            self._write_last(answer)
        if was_busy:
            self._go_on()

    def _refuse(self, error: Exception) -> None:
        responder, head, ends = self._server.responder, self._head, self._ends
        if head is not None and isinstance(error, OrdinateError):
            waited = max(0.0, self._now() - self._since)  # since infinity: it has just begun
            self._close_with(responder.refused(head, ends, error, False, waited))
        else:
            self._close_with(responder.refuse(error, ends.sender.address))

    def _close_with(self, answer: bytes) -> None:
        """Answer for the last time, and forget what has arrived."""
        self._server.responder.admission.line.leave(self)
        self._cutter.clear()
        self._head, self._waits = None, False
        self._end_with(answer)
        self._weigh()
