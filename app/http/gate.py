"""Before and after every request: its id, its log line, its counts, its headers."""

import time

from flask import Flask, Response, g, request

from app.http.body import discard_rest
from app.http.service import service
from app.telemetry import request_id

UNMATCHED = "(unmatched)"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def init_app(app: Flask) -> None:
    """Hang the gate before all views of this application."""
    app.url_map.merge_slashes = False  # /models//x is not found: a redirect would lose its body
    app.before_request(_enter)
    app.after_request(_leave)


def _enter() -> None:
    g.started = time.perf_counter()
    service().watcher.ensure()  # for servers that have no hook for it
    g.request_id = request_id(request.headers.get("X-Request-Id"))


def _leave(response: Response) -> Response:
    if response.status_code >= 400:
        discard_rest(request)
    seconds = time.perf_counter() - g.started
    route = request.url_rule.rule if request.url_rule else UNMATCHED
    method = request.method if request.method in _METHODS else "other"
    response.headers["X-Request-Id"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    served = service()
    served.metrics.request(route, method, response.status_code, seconds)
    served.log.access(
        request_id=g.request_id,
        method=request.method,
        route=route,
        path=request.path,
        status=response.status_code,
        seconds=seconds,
        bytes_in=request.content_length,
        bytes_out=response.content_length,
        rows=g.get("rows"),
        model=response.headers.get("X-Model"),
    )
    return response
