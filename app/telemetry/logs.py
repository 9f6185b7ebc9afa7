"""The service's log: one line of JSON an event, requests to stdout, everything else to stderr."""

import time
from collections.abc import Callable

from app.masking import mask_bytes
from app.telemetry.lines import Later, Sink, encode

LEVELS = ("debug", "info", "warning", "error", "critical")

_SHOWN_PATH = 512
_SHOWN_METHOD = 64
_KEPT_KINDS = 256
_SHOWN_FRAMES = 12
_NULL = "null"
_Kind = tuple[str | None, str, str | None, int, str | None, str | None]
_BELOW_1 = tuple(f"{thousandths / 1000:.3f}" for thousandths in range(1000))


class Log:
    """Writes what happens; never raises, never waits, and is never given the values of an input.

    Args:
        level: least level of the events that are written.
        access: whether requests are written.
        out: descriptor that requests go to.
        err: descriptor that events go to.
        on_loss: called for each line that could not be written.
    """

    def __init__(
        self,
        level: str = "info",
        *,
        access: bool = True,
        out: int = 1,
        err: int = 2,
        on_loss: Callable[[], None] = lambda: None,
    ) -> None:
        self._levels = frozenset(LEVELS[LEVELS.index(level) :])
        self._access = access
        self._out, self._err = Sink(out, on_loss), Sink(err, on_loss)
        self._second = (0, "")
        self._millisecond = (0, "")
        self._kinds: dict[_Kind, str] = {}

    def gather(self, in_time: Later, at_end: Later) -> None:
        """Write the lines of this thread's requests by the lot, as `Sink.gather` says."""
        self._out.gather(in_time, at_end)

    def flush(self) -> None:
        """Write the lines that were gathered."""
        self._out.flush()

    def access(  # noqa: PLR0913 - a line has as many fields as it has
        self,
        *,
        request_id: str,
        method: str | None,
        route: str,
        path: str | None,
        status: int,
        seconds: float,
        bytes_in: int | None = None,
        bytes_out: int | None = None,
        rows: int | None = None,
        model: str | None = None,
        remote: str | None = None,
        key: str | None = None,
    ) -> None:
        """Write the line of one answered request.

        Args:
            request_id: its id.
            method: as sent; None where it could not be read.
            route: the template that matched.
            path: as sent, without the query.
            status: of the answer.
            seconds: from the request being here to its answer, what it waited included.
            bytes_in: length of the request's body, if known.
            bytes_out: length of the answer's body as it is sent, if known.
            rows: how many were predicted.
            model: NAME/VERSION that predicted.
            remote: address of the peer.
            key: name of the key that let it in.
        """
        if not self._access:
            return
        kind = (method, route, path, status, model, key)
        shown = self._kinds.get(kind) or self._show(kind)
        more = "}\n" if rows is None else f',"rows":{rows}}}\n'
        if remote is not None:
            more = f',"remote":"{remote}"{more}'
        thousandths = int(seconds * 1e6)
        shown_ms = _BELOW_1[thousandths] if thousandths < 1000 else f"{seconds * 1000:.3f}"
        # Written out, because encoding a dictionary takes three times as long. What is not from
        # the caller's lists is a number, a sane id or an address: plain ASCII.
        self._out.write(
            f'{{"time":"{self._time()}",{shown},"request_id":"{request_id}",'
            f'"duration_ms":{shown_ms},'
            f'"bytes_in":{_NULL if bytes_in is None else bytes_in},'
            f'"bytes_out":{_NULL if bytes_out is None else bytes_out}{more}'.encode("ascii")
        )

    def _show(self, kind: _Kind) -> str:
        """The members of a line that many requests share; those of the last kinds are kept."""
        method, route, path, status, model, key = kind
        fields = {
            "level": "info" if status < 500 else "error",
            "event": "request",
            "method": method and method[:_SHOWN_METHOD],
            "route": route,
            "path": path and path[:_SHOWN_PATH],
            "status": status,
        }
        named = {"model": model, "key": key}
        given = {name: value for name, value in named.items() if value is not None}
        shown = mask_bytes(encode(fields | given))
        if len(self._kinds) >= _KEPT_KINDS:
            self._kinds.clear()
        self._kinds[kind] = text = shown.decode("ascii")[1:-2]
        return text

    def event(self, level: str, event: str, **fields: object) -> None:
        """Write an event, with whatever fields describe it."""
        if level in self._levels:
            record = {"time": self._time(), "level": level, "event": event, **fields}
            self._err.write(mask_bytes(encode(record)))

    def failure(self, event: str, error: BaseException, **fields: object) -> None:
        """Write an unexpected error: its kind and where it arose.

        Its text is left out: what libraries say about a value they stumble over contains the value.
        """
        self.event("error", event, error=type(error).__qualname__, trace=frames(error), **fields)

    def _time(self) -> str:
        now = time.time_ns() // 1_000_000
        known, text = self._millisecond
        if known != now:
            second, rest = divmod(now, 1000)
            made, begin = self._second
            if made != second:
                begin = utc(second)
                self._second = (second, begin)
            text = f"{begin}.{rest:03d}Z"
            self._millisecond = (now, text)
        return text


def utc(second: int) -> str:
    """Write a Unix time as ISO 8601 in UTC, without the fraction and the closing Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def frames(error: BaseException) -> list[str]:
    """Where an error arose: the innermost calls, outermost first, as file:line function."""
    found, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-_SHOWN_FRAMES:]
