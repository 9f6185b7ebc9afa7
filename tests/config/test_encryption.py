"""Settings of TLS that are of no use alone are not taken alone."""

import pytest

from app.config import Config
from app.errors import ConfigError

CERT = {"ORDINATE_TLS_CERT": "a.pem", "ORDINATE_TLS_KEY": "b.pem"}
ALONE = {
    "a certificate": ({"ORDINATE_TLS_CERT": "a.pem"}, "is set without ORDINATE_TLS_KEY"),
    "a key": ({"ORDINATE_TLS_KEY": "a.pem"}, "is set without ORDINATE_TLS_CERT"),
    "a password": ({"ORDINATE_TLS_KEY_PASSWORD": "x"}, "ORDINATE_TLS_KEY_PASSWORD is set without"),
    "clients": ({"ORDINATE_TLS_CLIENT": "optional"}, "ORDINATE_TLS_CLIENT is set without"),
    "an authority": (
        CERT | {"ORDINATE_TLS_CLIENT_CA": "c.pem"},
        "is set while ORDINATE_TLS_CLIENT is off",
    ),
    "a list": (
        CERT | {"ORDINATE_TLS_CLIENT_CRL": "c.pem"},
        "is set while ORDINATE_TLS_CLIENT is off",
    ),
    "clients of nobody": (
        CERT | {"ORDINATE_TLS_CLIENT": "required"},
        "ORDINATE_TLS_CLIENT is required without ORDINATE_TLS_CLIENT_CA",
    ),
}


@pytest.mark.parametrize(("env", "said"), ALONE.values(), ids=ALONE)
def test_what_is_of_no_use_alone_stops_the_start(env: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Config.from_env(env)


def test_what_belongs_together_is_taken() -> None:
    more = {"ORDINATE_TLS_CLIENT": "optional", "ORDINATE_TLS_CLIENT_CA": "c.pem"}

    config = Config.from_env(CERT | more)

    assert (config.tls_client, str(config.tls_client_ca)) == ("optional", "c.pem")
