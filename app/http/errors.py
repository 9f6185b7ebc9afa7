"""One place where errors become answers."""

from flask import Flask, Response, g

from app.http.outcome import Outcome, failed
from app.http.service import service


def init_app(app: Flask) -> None:
    """Answer every error of this application in the native shape."""
    app.register_error_handler(Exception, _handle)


def _handle(error: Exception) -> Response:
    g.outcome = failed(service(), error, g.get("request_id"))
    return as_response(g.outcome)


def as_response(outcome: Outcome) -> Response:
    """An outcome in Flask's form."""
    return Response(
        outcome.body, outcome.status, mimetype="application/json", headers=list(outcome.headers)
    )
