"""The WSGI application, as gunicorn, waitress and the flask command find it."""

import os

# One BLAS thread a worker, set before NumPy is imported: processes give the parallelism.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from app import create_app  # noqa: E402
from app.config import Config  # noqa: E402
from app.errors import ConfigError  # noqa: E402

try:
    # The admin commands look at the disk themselves and must not wait for models to load.
    app = create_app(Config.from_env(os.environ), load="FLASK_RUN_FROM_CLI" not in os.environ)
except ConfigError as error:  # the flask command and waitress would print a stack trace
    raise SystemExit(f"error: {error.message}") from None
