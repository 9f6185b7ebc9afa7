"""Settings of gunicorn, which reads this file by itself; `-b`, `-w` and the like override them."""

import os
import resource
import sys
from collections.abc import Iterable
from typing import Any

# One BLAS thread a worker, set before anything imports NumPy: processes give the parallelism.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

# gunicorn may have been started anywhere and told of this file by its name.
if (_folder := os.path.dirname(os.path.abspath(__file__))) not in sys.path:
    sys.path.insert(0, _folder)

from app.config import Config  # noqa: E402
from app.errors import ConfigError  # noqa: E402
from app.security.exposure import HOW_TO, exposed  # noqa: E402
from app.server import settle  # noqa: E402
from app.tls import Live, Renewal  # noqa: E402

try:
    _config = Config.from_env(os.environ)
except ConfigError as error:  # gunicorn would print a stack trace
    sys.stderr.write(f"error: {error.message}\n")
    raise SystemExit(2) from None
settle()

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

# TLS. That there is a certificate makes gunicorn speak it, and say so; how, is for our own context.
certfile = str(_config.tls_cert) if _config.tls_cert else None
keyfile = str(_config.tls_key) if _config.tls_key else None

# Logs: gunicorn's own messages as JSON on stderr. The access lines are the application's, which
# alone knows route, model and rows.
logger_class = "app.telemetry.gunicorn_logger.JsonLogger"
loglevel = _config.log_level
accesslog = None


_live: list[Live] = []  # in a worker, what its connections are encrypted with, if they are


def on_reload(server: Any) -> None:
    """Have the present workers know that others take over, so that they need not warn anybody."""
    if hasattr(server.worker_class, "on_reload"):
        server.worker_class.on_reload()


def _tell_of_the_stop(server: Any) -> None:
    """Have the workers know when the service stops, and whether nobody else is left to listen.

    gunicorn has no hook for that moment: it calls `stop`, which closes the master's sockets and
    tells the workers to go. While a new gunicorn takes over from an old one the service goes on.
    Others still have the sockets where they came from systemd or another program.
    """
    stop = server.stop

    def stop_all(graceful: bool = True) -> None:
        alone = server.reexec_pid == server.master_pid == 0
        given = any(isinstance(address, int) for address in server.cfg.address)  # fd://
        if alone and hasattr(server.worker_class, "on_stop"):
            server.worker_class.on_stop(is_last=not (given or server.systemd))
        stop(graceful)

    server.stop = stop_all


def on_starting(server: Any) -> None:
    """Tell of variables that look like settings; set up TLS once, for all workers to inherit.

    A service that the world could use by accident is refused.
    """
    _tell_of_the_stop(server)
    # A worker that could not start ends with one of these codes, on which the master gives up; they
    # must be none by which a crashing library might end a worker. gunicorn's are 3 and 4.
    server.WORKER_BOOT_ERROR, server.APP_LOAD_ERROR = 213, 214
    # No crash leaves memory on a disk: inputs are in it, and keys.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    for warning in _config.warnings:
        server.log.warning(warning)
    if server.cfg.max_requests and hasattr(server.worker_class, "on_stop"):
        server.log.warning("--max-requests is not taken: a worker goes when it hangs, or is told.")
    _check_exposure(server.cfg.address)
    try:
        if (server.cfg.certfile, server.cfg.keyfile) != (certfile, keyfile):
            raise ConfigError(
                "--certfile and --keyfile are not taken: set ORDINATE_TLS_CERT and ORDINATE_TLS_KEY"
            )
        server.tls = Live.of(_config)
    except ConfigError as error:
        sys.stderr.write(f"error: {error.message}\n")
        raise SystemExit(2) from None
    for warning in server.tls.warnings if server.tls else ():
        server.log.warning(warning)


def when_ready(server: Any) -> None:
    """Look once more, at what is listened to in fact: it may come from systemd."""
    addresses = [each.sock.getsockname() for each in server.LISTENERS]
    _check_exposure(addresses)
    if _config.allow_open and not _config.auth:
        for address in exposed(addresses):
            server.log.warning("No key is asked for: all who reach %s may predict.", address)


def _check_exposure(addresses: Iterable[Any]) -> None:
    """Stop where others can reach what asks for no key, unless that was said twice."""
    found = [] if _config.auth or _config.allow_open else exposed(addresses)
    if found:
        sys.stderr.write(
            f"error: ORDINATE_AUTH is off, and others can reach {found[0]}: {HOW_TO}\n"
        )
        raise SystemExit(2)


def ssl_context(_config: Any, _default_factory: Any) -> Any:
    """For each new connection, the context of the files as they are now."""
    return _live[0].context


def _service(process: Any) -> Any:
    """Find what the preloaded application consists of, if it is ours."""
    return getattr(process.app.callable, "extensions", {}).get("ordinate")


# A worker counts in a slot of its own; when it dies, another takes the slot over and counts on.
def pre_fork(server: Any, worker: Any) -> None:
    """Choose the slot while there is one process that can; inherit no certificate that is old."""
    if server.tls and (change := server.tls.look()) and change.refused:
        server.log.error(change.refused)
    if service := _service(server):
        worker.slot = service.metrics.claim_slot()


def post_fork(server: Any, worker: Any) -> None:
    """Count in it from the first request on."""
    _live[:] = [server.tls] if server.tls else []
    if service := _service(server):
        service.metrics.use_slot(worker.slot)
        service.guard.trust_listeners()  # `when_ready` has looked at them


def post_worker_init(worker: Any) -> None:
    """Look for new versions, and for what is too old to be kept, from now on, idle or not.

    What was loaded before the fork may be old: a worker that replaces another must not go back.
    """
    if service := _service(worker):
        if service.keys is not None:
            service.keys.look()
        service.watcher.look()
        service.watcher.ensure()
        if service.journal is not None:
            service.journal.ensure()
        for live in _live:
            Renewal(live, service.log, service.metrics).start()


def child_exit(server: Any, worker: Any) -> None:
    """Let the next worker have it, and what else was this one's."""
    if hasattr(worker, "share"):
        worker.share.release()
    if service := _service(server):
        service.metrics.release_slot(worker.slot)
