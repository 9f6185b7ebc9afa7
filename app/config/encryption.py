"""Which settings of TLS go together."""

from collections.abc import Mapping
from typing import Any

from app.errors import ConfigError


def check_encryption(values: Mapping[str, Any]) -> None:
    """Refuse settings of which one is of no use without another. Raises ConfigError."""
    cert, key, client = values["tls_cert"], values["tls_key"], values["tls_client"]
    if (cert is None) != (key is None):
        there, missing = ("CERT", "KEY") if key is None else ("KEY", "CERT")
        raise ConfigError(
            f"ORDINATE_TLS_{there} is set without ORDINATE_TLS_{missing}: "
            "a certificate and its private key are named together"
        )
    alone = [name for name in _ONLY_WITH_TLS if values[name]]
    if cert is None and (alone or client != "off"):
        name = f"ORDINATE_{(alone or ['tls_client'])[0].upper()}"
        raise ConfigError(
            f"{name} is set without ORDINATE_TLS_CERT: without a certificate there is no TLS"
        )
    if client == "off" and (unused := [name for name in _ONLY_WITH_CLIENTS if values[name]]):
        raise ConfigError(
            f"ORDINATE_{unused[0].upper()} is set while ORDINATE_TLS_CLIENT is off: "
            "set that to optional or required"
        )
    if client != "off" and values["tls_client_ca"] is None:
        raise ConfigError(
            f"ORDINATE_TLS_CLIENT is {client} without ORDINATE_TLS_CLIENT_CA: "
            "name the file of the authority that signs clients' certificates"
        )


_ONLY_WITH_CLIENTS = ("tls_client_ca", "tls_client_crl")
_ONLY_WITH_TLS = ("tls_key_password", *_ONLY_WITH_CLIENTS)
