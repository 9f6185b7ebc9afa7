"""The settings of a process, read once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from app.casts import Networks, Secret
from app.config.encryption import check_encryption
from app.config.setting import unknown_settings
from app.config.table import SETTINGS
from app.errors import ConfigError
from app.rates import Rate, Rates


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
    auth: bool
    allow_open: bool
    keys: Path
    metrics: Literal["open", "key", "admin"]
    openapi: Literal["open", "key", "admin"]
    jwks: Path | None
    jwt_issuer: str | None
    jwt_audience: str | None
    limit_key_requests: Rates
    limit_key_rows: Rates
    limit_address_requests: Rate | None
    limit_address_rows: Rate | None
    limit_wrong_keys: Rate | None
    limits_url: Secret | None
    trusted_proxies: Networks
    prediction_log: Path | None
    prediction_log_key: Path | None
    prediction_log_days: int
    tls_cert: Path | None
    tls_key: Path | None
    tls_key_password: Secret | None
    tls_client: Literal["off", "optional", "required"]
    tls_client_ca: Path | None
    tls_client_crl: Path | None
    hsts: int
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
        _check_tokens(values)
        check_encryption(values)
        return cls(**values, warnings=unknown_settings(found, SETTINGS))

    @property
    def bind(self) -> str:
        """HOST and PORT as one address, an IPv6 host in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def _check_tokens(values: Mapping[str, Any]) -> None:
    """Raise ConfigError where tokens could never be taken, or would be taken from anybody."""
    if values["jwks"] is None:
        return
    if not values["auth"]:
        raise ConfigError(
            "ORDINATE_JWKS is set while ORDINATE_AUTH is off, so nobody would be asked for one: "
            "set ORDINATE_AUTH=on"
        )
    if values["jwt_issuer"] is None or values["jwt_audience"] is None:
        raise ConfigError(
            "ORDINATE_JWKS is set without ORDINATE_JWT_ISSUER and ORDINATE_JWT_AUDIENCE: "
            "say who must have issued a token, and for whom"
        )
