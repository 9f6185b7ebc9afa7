"""All settings, read once from a mapping of environment variables.

`SETTINGS` is the one list of them: it drives reading, the README's table and the tests.
"""

import difflib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from app.casts import all_or_some, host, integer, model, one_of, optional, path, share, switch
from app.cores import usable_cores
from app.errors import ConfigError

PREFIX = "ORDINATE_"

_SHOWN_CHARACTERS = 80

# Kubernetes tells every container of the Services beside it: a Service called `ordinate` or
# `ordinate-anything` puts these names in our environment, and they are not meant for us.
_SERVICE_NAME = re.compile(
    rf"{PREFIX}(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?)"
)
_SERVICE_LINK = re.compile(r"(tcp|udp|sctp)://.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        variable: the environment variable; absent or empty means the default.
        field: attribute of `Config` that holds the value.
        default: as it would be written in the environment; empty for none.
        cast: text to value; raises ValueError for what is not allowed.
        allowed: what `cast` takes, in words that follow "allowed is".
        purpose: one sentence for the reader of the documentation.
    """

    variable: str
    field: str
    default: str
    cast: Callable[[str], Any]
    allowed: str
    purpose: str

    def read(self, env: Mapping[str, str]) -> Any:
        """Read this setting from `env`. Raises ConfigError."""
        text = env.get(self.variable) or self.default
        try:
            return self.cast(text)
        except ValueError:
            raise ConfigError(
                f"{self.variable} is {_shown(text)}, allowed is {self.allowed}"
            ) from None


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one process; each is explained in `SETTINGS`.

    Attributes:
        warnings: sentences about variables that look like settings and are none.
    """

    models: Path
    model: str | None
    max_body_bytes: int
    max_rows: int
    host: str
    port: int
    workers: int
    threads: int
    timeout: int
    grace: int
    keepalive: int
    request_timeout: int
    refresh: int
    runtime: Literal["auto", "pickle"]
    canary: tuple[str, float] | None
    keep_versions: int | None
    log_level: str
    access_log: bool
    require_signature: bool
    trusted_keys: Path | None
    signing_key: Path | None
    state: Path | None
    max_model_bytes: int
    warnings: tuple[str, ...] = ()

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Self:
        """Read all settings; None reads the environment of this process. Raises ConfigError."""
        found = os.environ if env is None else env
        values = {setting.field: setting.read(found) for setting in SETTINGS}
        if values["require_signature"] and values["trusted_keys"] is None:
            raise ConfigError(
                "ORDINATE_REQUIRE_SIGNATURE is on without ORDINATE_TRUSTED_KEYS: "
                "name the file or folder of the public keys whose signatures are to be taken"
            )
        return cls(**values, warnings=unknown_settings(found))

    @property
    def bind(self) -> str:
        """HOST and PORT as one address, an IPv6 host in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def unknown_settings(env: Mapping[str, str]) -> tuple[str, ...]:
    """Give a sentence for each variable of `env` with our prefix that is no setting."""
    known = [setting.variable for setting in SETTINGS]
    strangers = (
        name
        for name in sorted(env)
        if name.startswith(PREFIX) and name not in known and not _is_injected(name, env[name])
    )
    return tuple(_complaint(name, known) for name in strangers)


def _is_injected(name: str, value: str) -> bool:
    if name.endswith("_PORT") and _SERVICE_LINK.fullmatch(value):
        return True
    return _SERVICE_NAME.fullmatch(name) is not None


def _complaint(name: str, known: list[str]) -> str:
    plain = {variable.removeprefix(PREFIX): variable for variable in known}
    near = difflib.get_close_matches(name.removeprefix(PREFIX), plain, n=1)
    hint = f"; did you mean {plain[near[0]]}?" if near else ""
    return f"{_shown(name)[1:-1]} is not a setting{hint}"


def _shown(text: str) -> str:
    if len(text) > _SHOWN_CHARACTERS:
        text = text[:_SHOWN_CHARACTERS] + "..."
    return json.dumps(text)


def _workers(text: str) -> int:
    return usable_cores() if text == "auto" else integer(1, 512)(text)


# fmt: off
SETTINGS: tuple[Setting, ...] = (
    Setting("ORDINATE_MODELS", "models", "models", path, "a folder",
            "Folder of the published models."),
    Setting("ORDINATE_MODEL", "model", "", optional(model),
            "a model's name: a-z, 0-9, _ and -, at most 63, starting with a letter or digit; "
            "not 'default', which is a file's",
            "Model that answers at /predict; without it, the one named in the file `default` "
            "of the models folder."),
    Setting("ORDINATE_MAX_BODY_BYTES", "max_body_bytes", "8388608", integer(1024, 1 << 40),
            "a number of bytes from 1024",
            "Largest request body, in bytes after decompression; a larger one is answered 413."),
    Setting("ORDINATE_MAX_ROWS", "max_rows", "100000", integer(1, 10**9),
            "a number of rows from 1 to 1000000000",
            "Most rows in one request; more are answered 413."),
    Setting("HOST", "host", "127.0.0.1", host, "an IP address or a host name",
            "Address to listen on; 0.0.0.0 is every IPv4 interface."),
    Setting("PORT", "port", "8000", integer(0, 65535),
            "a port from 0 to 65535, where 0 is any free one",
            "TCP port to listen on."),
    Setting("ORDINATE_WORKERS", "workers", "auto", _workers, "auto or an integer from 1 to 512",
            "Worker processes; auto is one for each core this process may use."),
    Setting("ORDINATE_THREADS", "threads", "8", integer(1, 1024), "an integer from 1 to 1024",
            "Long requests that one worker handles at a time; brief ones need no thread."),
    Setting("ORDINATE_TIMEOUT", "timeout", "30", integer(1, 86400),
            "whole seconds from 1 to 86400",
            "Seconds without a sign of life after which a worker is replaced."),
    Setting("ORDINATE_GRACE", "grace", "8", integer(1, 86400), "whole seconds from 1 to 86400",
            "Seconds that requests in flight get to finish when the service is told to stop."),
    Setting("ORDINATE_KEEPALIVE", "keepalive", "75", integer(0, 86400),
            "whole seconds from 0 to 86400, where 0 closes after each answer",
            "Seconds that an idle connection is kept open for the next request."),
    Setting("ORDINATE_REQUEST_TIMEOUT", "request_timeout", "30", integer(1, 86400),
            "whole seconds from 1 to 86400",
            "Seconds in which a whole request must arrive, and its answer be taken."),
    Setting("ORDINATE_REFRESH", "refresh", "1", integer(0, 86400),
            "whole seconds from 0 to 86400, where 0 is never",
            "Seconds between looks at the models folder for what was published since."),
    Setting("ORDINATE_RUNTIME", "runtime", "auto", one_of("auto", "pickle"), "auto or pickle",
            "auto serves a linear model by the numbers in its manifest; pickle never does."),
    Setting("ORDINATE_CANARY", "canary", "", optional(share),
            "NAME:PERCENT, such as diabetes:5, with a percentage from 0 to 100",
            "NAME:PERCENT gives that share of the requests that name no version of this model to "
            "the one labelled `canary`."),
    Setting("ORDINATE_KEEP_VERSIONS", "keep_versions", "all", all_or_some,
            "all or an integer from 1 to 1000000",
            "How many of a model's newest versions are kept when one is published, beside those in "
            "use."),
    Setting("ORDINATE_LOG_LEVEL", "log_level", "info", one_of("debug", "info", "warning", "error"),
            "debug, info, warning or error",
            "Least level of the events that are logged to stderr."),
    Setting("ORDINATE_ACCESS_LOG", "access_log", "on", switch, "on or off",
            "Whether each request is logged to stdout, as one line of JSON."),
    Setting("ORDINATE_REQUIRE_SIGNATURE", "require_signature", "off", switch, "on or off",
            "Whether only what a trusted key has signed is loaded; see docs/signatures.md."),
    Setting("ORDINATE_TRUSTED_KEYS", "trusted_keys", "", optional(path), "a file or a folder",
            "File with public keys, or folder of such files ending with `.pub`."),
    Setting("ORDINATE_SIGNING_KEY", "signing_key", "", optional(path), "a file",
            "File of the private key by which train.py and the admin tool sign."),
    Setting("ORDINATE_STATE", "state", "", optional(path), "a folder",
            "Folder in which a service remembers what it accepted, so that no restart undoes it."),
    Setting("ORDINATE_MAX_MODEL_BYTES", "max_model_bytes", "4294967296", integer(1024, 1 << 40),
            "a number of bytes from 1024",
            "Largest file of a model, as it is on disk and after decompression."),
)
# fmt: on
