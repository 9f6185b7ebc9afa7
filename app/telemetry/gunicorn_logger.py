"""gunicorn's own messages in the form of the service's log."""

import logging
import re

from gunicorn.glogging import Logger

from app.errors import OrdinateError
from app.masking import mask
from app.telemetry.lines import Sink, encode
from app.telemetry.logs import frames, utc

_QUOTING = re.compile(
    r"(Invalid request from ip=\S*|Ignored premature client disconnection|Closing connection"
    r"|Error handling request|HTTP/2 [a-z ]+)\b.*",
    re.DOTALL,
)
"""Messages of gunicorn's own workers that go on with what a client has sent: a body that is longer
than it was declared to be is taken for a request, and its values would stand in the log."""

_HARMLESS = (OSError, ImportError, OrdinateError)
"""Errors whose text is not about a value of a request."""


class JsonFormatter(logging.Formatter):
    """One line of JSON a message; where an error arose is one of its fields, its text mostly not.

    What libraries say of a value that they stumble over contains the value.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as a line, without its newline."""
        line: dict[str, object] = {
            "time": f"{utc(int(record.created))}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": "server",
            "message": _unquoting(record.getMessage()),
            "pid": record.process,
        }
        if record.exc_info and (error := record.exc_info[1]):
            line |= {"error": type(error).__qualname__, "trace": frames(error)}
            if isinstance(error, _HARMLESS):
                line["reason"] = str(error)
        return mask(encode(line).decode().rstrip("\n"))


def _unquoting(message: str) -> str:
    found = _QUOTING.fullmatch(message)
    return found[1].rstrip(":") if found else message


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """What gunicorn uses as `logger_class`; `--error-logfile FILE` and `--log-level` still work."""

    def setup(self, cfg: object) -> None:
        """Let gunicorn open what it was told to, then write there in our form.

        gunicorn does so again at each reload, and throws away what it had, which may have taken a
        descriptor: ours is kept.
        """
        before = [each for each in self.error_log.handlers if isinstance(each, _SinkHandler)]
        super().setup(cfg)
        for handler in list(self.error_log.handlers):
            if type(handler) is logging.StreamHandler:
                self.error_log.removeHandler(handler)
                self.error_log.addHandler(before[0] if before else _SinkHandler())
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonFormatter())


class _SinkHandler(logging.Handler):
    """Standard error, without waiting for its reader."""

    _gunicorn = True  # how gunicorn knows the handlers that it may replace when it reloads

    def __init__(self) -> None:
        super().__init__()
        self._sink = Sink(2)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self._sink.write(self.format(record).encode() + b"\n")
