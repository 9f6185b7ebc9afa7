"""Before and after every request: its id, its log line, its counts, its headers."""

import time

from flask import Flask, Response, g, request
from werkzeug.exceptions import NotFound

from app.http.body import discard_rest
from app.http.fast import ALWAYS, SETTLE, STARTED
from app.http.hsts import strict_transport
from app.http.outcome import Outcome, recorded
from app.http.plain import sender_of, shown_in
from app.http.proxies import FORWARDED
from app.http.routes import destination
from app.http.service import service
from app.telemetry import request_id

_SLASH = "%2f"
UNMATCHED = "(unmatched)"


def init_app(app: Flask) -> None:
    """Hang the gate before all views of this application."""
    app.url_map.merge_slashes = False  # /models//x is not found: a redirect would lose its body
    app.before_request(_enter)
    app.after_request(_leave)


def _enter() -> None:
    g.started = request.environ.get(STARTED) or time.perf_counter()
    service().watcher.ensure()  # for servers that have no hook for it
    g.request_id = request_id(request.headers.get("X-Request-Id"))
    _admit()
    # Servers decode the path before it is routed: a name with an encoded slash would be two.
    sent = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI", "")
    if _SLASH in sent.partition("?")[0].lower():
        raise NotFound
    if request.environ["PATH_INFO"].startswith("//"):  # which routing takes for one
        raise NotFound


def _admit() -> None:
    """Let the request in. Raises OrdinateError."""
    served, rule = service(), request.url_rule
    if served.guard.idle:
        return
    route, model = destination(served.registry, rule, request.view_args)
    shown = shown_in(request.environ)
    sender = served.proxies.sender(sender_of(request.environ), request.environ.get(FORWARDED))
    g.ticket = served.guard.admit(shown, sender, route, model)


def _leave(response: Response) -> Response:
    if response.status_code >= 400:
        discard_rest(request)
    response.headers["X-Request-Id"] = g.request_id
    response.headers.extend(ALWAYS)
    response.headers.extend(strict_transport(service().config.hsts, request.scheme))
    route = request.url_rule.rule if request.url_rule else UNMATCHED
    outcome = g.get("outcome") or Outcome(response.status_code, response.get_data())
    if ticket := g.get("ticket"):
        outcome.admitted(ticket)
        response.headers.extend(outcome.left)
    recorded(
        service(),
        outcome,
        request_id=g.request_id,
        method=request.method,
        route=route,
        path=request.path,
        bytes_in=request.content_length,
        started=g.started,
        settle=request.environ.get(SETTLE),
    )
    return response
