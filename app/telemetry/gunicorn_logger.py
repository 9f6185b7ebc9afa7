"""gunicorn's own messages in the form of the service's log."""

import logging
import traceback

from gunicorn.glogging import Logger

from app.masking import mask
from app.telemetry.lines import Sink, encode
from app.telemetry.logs import utc


class JsonFormatter(logging.Formatter):
    """One line of JSON a message; a stack trace is one of its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as a line, without its newline."""
        line = {
            "time": f"{utc(int(record.created))}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": "server",
            "message": record.getMessage(),
            "pid": record.process,
        }
        if record.exc_info and record.exc_info[1]:
            line["trace"] = "".join(traceback.format_exception(record.exc_info[1]))
        return mask(encode(line).decode().rstrip("\n"))


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """What gunicorn uses as `logger_class`; `--error-logfile FILE` and `--log-level` still work."""

    def setup(self, cfg: object) -> None:
        """Let gunicorn open what it was told to, then write there in our form."""
        super().setup(cfg)
        for handler in list(self.error_log.handlers):
            if type(handler) is logging.StreamHandler:
                self.error_log.removeHandler(handler)
                self.error_log.addHandler(_SinkHandler())
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
