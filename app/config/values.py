"""The settings of a process, read once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from app.config.setting import unknown_settings
from app.config.table import SETTINGS
from app.errors import ConfigError


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
    queue: int
    queue_seconds: int
    deadline: int
    connections: int
    max_pending_bytes: int
    stop_delay: int
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
        return cls(**values, warnings=unknown_settings(found, SETTINGS))

    @property
    def bind(self) -> str:
        """HOST and PORT as one address, an IPv6 host in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
