"""Whether the server that runs the application goes by our settings, or by its own alone."""

import sys
from collections.abc import Iterator

from app.config import Config
from app.errors import ConfigError

_WORKER_BOOT_ERROR = 3

_read: list[bool] = []


def settle() -> None:
    """Say that gunicorn.conf.py was read.

    This process knows it from then on, and those that are forked from it; no variable says it that
    another program could have left behind.
    """
    _read[:] = [True]


def check(config: Config) -> Iterator[str]:
    """What an operator should know of a server, or of a command, that settles nothing for us.

    Raises:
        ConfigError: it would be spoken to in the clear where TLS is asked for.
    """
    if _read:
        return
    if config.tls_cert is not None:
        raise ConfigError(
            "ORDINATE_TLS_CERT is set, and the server that was started knows nothing of it, so it "
            f"would speak without TLS: {_HOW_TO}; another server than gunicorn needs a proxy in "
            "front that speaks TLS, and ORDINATE_TLS_CERT unset"
        )
    if _is_gunicorn():
        yield f"gunicorn goes by its own settings, not by HOST or ORDINATE_WORKERS: {_HOW_TO}"
    yield from config.warnings


def exit_code() -> int:
    """With which a process ends that cannot start.

    gunicorn by its own settings imports the application in a worker, and starts another for each
    that ends with any code but this one.
    """
    return _WORKER_BOOT_ERROR if _is_gunicorn() and not _read else 2


def _is_gunicorn() -> bool:
    return "gunicorn.arbiter" in sys.modules


_HOW_TO = (
    "start gunicorn in the folder of gunicorn.conf.py, or name that file as well, as in "
    "`gunicorn --chdir FOLDER -c FOLDER/gunicorn.conf.py wsgi:app`"
)
