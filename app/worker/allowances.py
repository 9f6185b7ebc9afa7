"""What a worker lets its clients take, by the settings of the service and of gunicorn."""

from dataclasses import replace
from typing import Any

from app.config import Config
from app.worker.budget import Budget
from app.worker.doorstep import LINGER_SECONDS
from app.worker.heads import allows_plain
from app.worker.pool import Bounds
from app.worker.server import Limits

DISCARDED_BYTES = 64 << 20

OTHERS = replace(Config.from_env({}), max_body_bytes=1 << 30)
"""For applications that are not ours."""


def allowed(config: Config, cfg: Any) -> tuple[Limits, Bounds, Budget]:
    """What one client may take, what may wait for threads, and how much is held of all requests.

    Args:
        config: of the service.
        cfg: of gunicorn.
    """
    limits = Limits(
        request=config.request_timeout,
        idle=cfg.keepalive or config.request_timeout,  # of 0, that is before the only one
        write=config.request_timeout,
        linger=LINGER_SECONDS,
        discarded=DISCARDED_BYTES,
        body=config.max_body_bytes,
        parser={
            "limit_request_line": cfg.limit_request_line,
            "limit_request_fields": cfg.limit_request_fields,
            "limit_request_field_size": cfg.limit_request_field_size,
        },
        plain=allows_plain(
            cfg.limit_request_line, cfg.limit_request_fields, cfg.limit_request_field_size
        ),
    )
    bounds = Bounds(
        threads=cfg.threads,
        waiting=config.queue,
        wait=config.queue_seconds,
        deadline=config.deadline,
    )
    return limits, bounds, Budget(max(config.max_pending_bytes, config.max_body_bytes))
