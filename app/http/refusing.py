"""Requests that are refused without being read, or without being answered in time."""

import time
from typing import Any

from app.errors import OrdinateError
from app.http.outcome import Outcome, failed, recorded
from app.http.service import Service
from app.telemetry import request_id

UNREAD = "(unread)"
"""Stands where a route would for these requests."""

_VITAL = frozenset(("/healthz", "/readyz"))


def is_vital(path: str) -> bool:
    """Whether requests at this path are never refused for there being too much to do."""
    return path in _VITAL


def refused(
    served: Service, environ: dict[str, Any], error: OrdinateError, waited: float = 0.0
) -> tuple[Outcome, str]:
    """Refuse a request, count it and log it.

    Args:
        served: whose counters and log.
        environ: what the head says.
        error: why.
        waited: seconds that the request has waited for this.

    Returns:
        What to answer, and the request's id.
    """
    started = time.perf_counter() - waited
    fresh = request_id(environ.get("HTTP_X_REQUEST_ID"))
    outcome = failed(served, error, fresh)
    recorded(
        served,
        outcome,
        request_id=fresh,
        method=environ["REQUEST_METHOD"],
        route=UNREAD,
        path=environ["PATH_INFO"].encode("latin-1").decode(errors="replace"),  # as Flask has it
        bytes_in=None,
        started=started,
    )
    return outcome, fresh
