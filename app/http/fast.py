"""The fast path: plain prediction requests, answered without Flask's request and response.

It wraps the WSGI application and takes only what needs no interpretation: a POST to a current
model, JSON, a declared length within the limit. All else goes on to Flask, and both end up in the
same functions of `app.http.outcome`, so that nobody can tell which way a request went.
"""

import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from app.errors import InvalidInput
from app.http.outcome import Outcome, failed, predicted, recorded
from app.http.service import Service
from app.store import is_name
from app.telemetry import request_id

Environ = dict[str, Any]
WSGI = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_DEFAULT = "/predict"
_BEGIN, _END = "/models/", "/predict"
_NAMED = "/models/<name>/predict"
_ACCEPTED = frozenset((None, "*/*", "application/json", "application/json, */*;q=0.5"))
_STATUS_LINES = {each.value: f"{each.value} {each.phrase.upper()}" for each in HTTPStatus}


class FastPath:
    """The WSGI application with a short cut.

    Args:
        application: for whatever is not plain.
        served: what the requests are answered with.
    """

    def __init__(self, application: WSGI, served: Service) -> None:
        self._application = application
        self._served = served

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        length = self._plain_length(environ)
        path = environ["PATH_INFO"]
        if length is None or not (path == _DEFAULT or _model_name(path)):
            return self._application(environ, start_response)
        started = time.perf_counter()
        fresh = request_id(environ.get("HTTP_X_REQUEST_ID"))
        self._served.watcher.ensure()
        outcome = self._outcome(environ, path, length)
        recorded(
            self._served,
            outcome,
            request_id=fresh,
            method="POST",
            route=_DEFAULT if path == _DEFAULT else _NAMED,
            path=path,
            bytes_in=length,
            started=started,
        )
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(outcome.body))),
            *outcome.headers,
            ("X-Request-Id", fresh),
            ("X-Content-Type-Options", "nosniff"),
        ]
        start_response(_STATUS_LINES[outcome.status], headers)
        return [outcome.body]

    def is_brief(self, path: str) -> bool:
        """Whether a request to this path is answered in well under a millisecond."""
        name = None if path == _DEFAULT else _model_name(path)
        if name is None and path != _DEFAULT:
            return path == "/healthz"
        model = self._served.registry.peek(name)
        return model is not None and model.quick is not None

    def _plain_length(self, environ: Environ) -> int | None:
        """The length of the body of a plain request, None where there is more to it."""
        if (
            environ["REQUEST_METHOD"] != "POST"
            or environ.get("CONTENT_TYPE") != "application/json"
            or environ.get("HTTP_ACCEPT") not in _ACCEPTED
            or "HTTP_CONTENT_ENCODING" in environ
            or "%" in (environ.get("RAW_URI") or environ.get("REQUEST_URI", ""))
        ):
            return None
        text = environ.get("CONTENT_LENGTH", "")
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            return None
        length = int(text)
        return length if length <= self._served.config.max_body_bytes else None

    def _outcome(self, environ: Environ, path: str, length: int) -> Outcome:
        try:
            body = environ["wsgi.input"].read(length)
            if len(body) < length:
                raise InvalidInput("the body ends early, or its chunks are malformed")
            return predicted(self._served, _model_name(path), None, body)
        except Exception as error:  # noqa: BLE001 - every error is answered
            return failed(self._served, error)


def _model_name(path: str) -> str | None:
    """The name in /models/NAME/predict; None where the path is another, or no name."""
    if not (path.startswith(_BEGIN) and path.endswith(_END)):
        return None
    name = path[len(_BEGIN) : -len(_END)]
    return name if is_name(name) else None
