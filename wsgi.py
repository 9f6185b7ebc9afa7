"""The WSGI application, as gunicorn, waitress and the flask command find it."""

import os
import sys

# One BLAS thread a worker, set before NumPy is imported: processes give the parallelism.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from app import create_app  # noqa: E402
from app.commands import is_command  # noqa: E402
from app.config import Config  # noqa: E402
from app.errors import ConfigError  # noqa: E402
from app.server import check, exit_code  # noqa: E402

try:
    config, for_command = Config.from_env(os.environ), is_command()
    for warning in config.warnings if for_command else check(config):
        sys.stderr.write(f"warning: {warning}\n")
    # The admin commands look at the disk themselves and must not wait for models to load.
    app = create_app(config, load=not for_command)
except ConfigError as error:  # the flask command and waitress would print a stack trace
    sys.stderr.write(f"error: {error.message}\n")
    raise SystemExit(exit_code()) from None
