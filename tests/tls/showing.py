"""A WSGI application that tells who asks."""

from collections.abc import Callable, Iterable
from typing import Any

from app.http.plain import sender_of


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with the name in the client's certificate."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(sender_of(environ).certificate).encode()]
