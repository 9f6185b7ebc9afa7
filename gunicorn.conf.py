"""Settings of gunicorn, which reads this file by itself; `-b`, `-w` and the like override them."""

import os
import sys
from typing import Any

# One BLAS thread a worker, set before anything imports NumPy: processes give the parallelism.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

from app.config import Config  # noqa: E402
from app.errors import ConfigError  # noqa: E402

try:
    _config = Config.from_env(os.environ)
except ConfigError as error:  # gunicorn would print a stack trace
    sys.stderr.write(f"error: {error.message}\n")
    raise SystemExit(2) from None

# Where and how many.
bind = _config.bind
workers = _config.workers
threads = _config.threads
worker_class = "app.worker.Worker"
preload_app = True  # one import and one copy of the model for all; the counters are shared by it
reuse_port = False  # the workers take turns at one socket, and none is lost with its queue
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - never a disk

# Time.
timeout = _config.timeout
graceful_timeout = _config.stop_delay + _config.grace  # under the 10 s of `docker stop`
keepalive = (
    _config.keepalive
)  # longer than the 60 s of common load balancers: they must hang up first
worker_connections = _config.connections  # fewer where the system allows fewer descriptors
max_requests = 0  # nothing leaks here that a restart would have to mend

# What a request may look like before it reaches the application.
http_parser = "python"  # "auto" may choose a C parser that lets bare LF and folded headers pass
limit_request_line = 4094  # 414 beyond
limit_request_fields = 100  # 431 beyond
limit_request_field_size = 8190  # 431 beyond
header_map = "drop"  # X_Model must not pass for X-Model
forwarded_allow_ips = ""  # nobody may claim another scheme or address; the default trusts loopback
secure_scheme_headers: dict[str, str] = {}  # same, and for UNIX sockets, which are always trusted
forwarder_headers = ""  # same
control_socket_disable = True  # nothing but HTTP is listened to; signals manage the server

# Logs: gunicorn's own messages as JSON on stderr. The access lines are the application's, which
# alone knows route, model and rows.
logger_class = "app.telemetry.gunicorn_logger.JsonLogger"
loglevel = _config.log_level
accesslog = None


def on_reload(server: Any) -> None:
    """Have the present workers know that others take over, so that they need not warn anybody."""
    if hasattr(server.worker_class, "on_reload"):
        server.worker_class.on_reload()


def on_starting(server: Any) -> None:
    """Tell of variables that look like settings.

    A worker that could not start ends with one of these codes, on which the master gives up; they
    must be none by which a crashing library might end a worker. gunicorn's are 3 and 4.
    """
    server.WORKER_BOOT_ERROR, server.APP_LOAD_ERROR = 213, 214
    for warning in _config.warnings:
        server.log.warning(warning)


def _service(process: Any) -> Any:
    """Find what the preloaded application consists of, if it is ours."""
    return getattr(process.app.callable, "extensions", {}).get("ordinate")


# A worker counts in a slot of its own; when it dies, another takes the slot over and counts on.
def pre_fork(server: Any, worker: Any) -> None:
    """Choose the slot while there is one process that can."""
    if service := _service(server):
        worker.slot = service.metrics.claim_slot()


def post_fork(server: Any, worker: Any) -> None:
    """Count in it from the first request on."""
    if service := _service(server):
        service.metrics.use_slot(worker.slot)


def post_worker_init(worker: Any) -> None:
    """Look for new versions now and from now on, idle or not.

    What was loaded before the fork may be old: a worker that replaces another must not go back.
    """
    if service := _service(worker):
        service.watcher.look()
        service.watcher.ensure()


def child_exit(server: Any, worker: Any) -> None:
    """Let the next worker have it."""
    if service := _service(server):
        service.metrics.release_slot(worker.slot)
