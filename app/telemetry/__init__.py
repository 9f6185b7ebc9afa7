"""What the service tells of itself: counted series, log lines and request ids."""

from app.telemetry.ids import request_id
from app.telemetry.logs import Log
from app.telemetry.metrics import Metrics

__all__ = ["Log", "Metrics", "request_id"]
