"""Settings of tokens that could never be taken, or would be taken from anybody, stop the start."""

import pytest

from app.config import Config
from app.errors import ConfigError

ALL = {
    "ORDINATE_AUTH": "on",
    "ORDINATE_JWKS": "jwks.json",
    "ORDINATE_JWT_ISSUER": "https://id.example",
    "ORDINATE_JWT_AUDIENCE": "ordinate",
}


def test_with_all_of_them_tokens_are_taken() -> None:
    assert Config.from_env(ALL).jwt_audience == "ordinate"


@pytest.mark.parametrize(
    ("missing", "problem"),
    [
        ("ORDINATE_AUTH", "ORDINATE_JWKS is set while ORDINATE_AUTH is off"),
        ("ORDINATE_JWT_ISSUER", "without ORDINATE_JWT_ISSUER and ORDINATE_JWT_AUDIENCE"),
        ("ORDINATE_JWT_AUDIENCE", "without ORDINATE_JWT_ISSUER and ORDINATE_JWT_AUDIENCE"),
    ],
)
def test_without_one_of_them_that_is_said(missing: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Config.from_env(ALL | {missing: ""})
