"""Settings: every one has a sound default, and a wrong value is named in one line."""

import dataclasses
from pathlib import Path

import pytest

from app.config import SETTINGS, Config, Setting
from app.cores import usable_cores
from app.errors import ConfigError

WRONG = {
    "ORDINATE_MODEL": ["Upper", "-x", "a" * 64, "a/b", "..", "a\n", "default"],
    "ORDINATE_MAX_BODY_BYTES": ["0", "1023", "8M", "-1", "1e6", "8_388_608", " 8192", "9" * 5000],
    "ORDINATE_MAX_ROWS": ["0", "+5", "٣", "1.0"],
    "HOST": ["a b", "http://x", "[::1]", "x\n"],
    "PORT": ["65536", "-1", "http", "tcp://10.0.0.1:80"],
    "ORDINATE_WORKERS": ["0", "many", "1000"],
    "ORDINATE_THREADS": ["0", "four"],
    "ORDINATE_TIMEOUT": ["0", "30s"],
    "ORDINATE_GRACE": ["0", "1.5"],
    "ORDINATE_KEEPALIVE": ["-1", "never"],
    "ORDINATE_CANARY": ["tiny", "tiny:", ":5", "tiny:-1", "tiny:101", "tiny:5%", "Tiny:5", "a:b:5"],
    "ORDINATE_KEEP_VERSIONS": ["0", "none", "-1", "1.5"],
    "ORDINATE_LOG_LEVEL": ["verbose", "INFO "],
    "ORDINATE_ACCESS_LOG": ["1", "true", "ON"],
    "ORDINATE_REQUIRE_SIGNATURE": ["1", "yes", "ON"],
    "ORDINATE_MAX_MODEL_BYTES": ["0", "1G"],
    "ORDINATE_LIMIT_KEY_REQUESTS": ["100", "100/second,", "a=none,a=none", "1/second:2:3"],
    "ORDINATE_LIMIT_KEY_ROWS": ["100 rows/second", "=1/day"],
    "ORDINATE_LIMIT_ADDRESS_REQUESTS": ["0/second", "none", "1/week"],
    "ORDINATE_LIMIT_ADDRESS_ROWS": ["1.5/second", "1/day:31"],
    "ORDINATE_LIMIT_WRONG_KEYS": ["off", "60"],
    "ORDINATE_TRUSTED_PROXIES": ["all", "10.0.0.1/8", "*", "10.0.0.0/8,", "localhost"],
    "ORDINATE_PREDICTION_LOG_DAYS": ["0", "36501", "30d"],
    "ORDINATE_TLS_CLIENT": ["on", "yes", "Required"],
    "ORDINATE_HSTS": ["-1", "1y", "off"],
}
PAIRS = [(variable, value) for variable, values in WRONG.items() for value in values]


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    config = Config.from_env({})

    assert config.models == Path("models")
    assert config.model is None
    assert config.max_body_bytes == 8 * 1024 * 1024
    assert config.max_rows == 100_000
    assert config.bind == "127.0.0.1:8000"
    assert config.workers == usable_cores()
    assert config.log_level == "info"
    assert config.access_log is True
    assert config.warnings == ()


def test_every_field_has_its_setting_and_every_setting_its_field() -> None:
    fields = [field.name for field in dataclasses.fields(Config)]

    assert [*(setting.field for setting in SETTINGS), "warnings"] == fields


def test_values_are_read_from_the_mapping_given() -> None:
    config = Config.from_env(
        {
            "ORDINATE_MODELS": "/srv/models",
            "ORDINATE_MODEL": "german-credit_2",
            "PORT": "9000",
            "ORDINATE_WORKERS": "3",
            "ORDINATE_ACCESS_LOG": "off",
        }
    )

    assert (config.models, config.model) == (Path("/srv/models"), "german-credit_2")
    assert (config.port, config.workers, config.access_log) == (9000, 3, False)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("tiny:5", ("tiny", 0.05)),
        ("tiny:0", ("tiny", 0.0)),
        ("german-credit_2:100", ("german-credit_2", 1.0)),
        ("tiny:0.25", ("tiny", 0.0025)),
    ],
)
def test_a_share_for_the_canary_is_read_as_a_fraction(text: str, meant: tuple[str, float]) -> None:
    assert Config.from_env({"ORDINATE_CANARY": text}).canary == meant


def test_all_versions_are_kept_unless_a_number_is_said() -> None:
    assert Config.from_env({}).keep_versions is None
    assert Config.from_env({"ORDINATE_KEEP_VERSIONS": "5"}).keep_versions == 5


def test_without_a_mapping_the_process_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDINATE_MAX_ROWS", "7")

    assert Config.from_env().max_rows == 7


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.variable)
def test_an_empty_value_means_the_default(setting: Setting) -> None:
    assert Config.from_env({setting.variable: ""}) == Config.from_env({})


@pytest.mark.parametrize(("variable", "value"), PAIRS)
def test_a_wrong_value_is_one_line_with_variable_value_and_what_is_allowed(
    variable: str, value: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_env({variable: value})

    message = caught.value.message
    assert message.startswith(f'{variable} is "')
    assert "allowed is" in message
    assert message.isprintable()
    assert len(message) < 300


def test_an_ipv6_host_is_bound_in_brackets() -> None:
    assert Config.from_env({"HOST": "::1", "PORT": "80"}).bind == "[::1]:80"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ORDINATE_MAX_ROW", "did you mean ORDINATE_MAX_ROWS?"),
        ("ORDINATE_WORKER", "did you mean ORDINATE_WORKERS?"),
        ("ORDINATE_PORT", "did you mean PORT?"),
        ("ORDINATE_PORTT", "did you mean PORT?"),
        ("ORDINATE_HOST", "did you mean HOST?"),
        ("ORDINATE_ZZZZZZ", "is not a setting"),
    ],
)
def test_an_unknown_name_is_a_warning_that_offers_the_nearest(name: str, hint: str) -> None:
    config = Config.from_env({name: "9"})

    assert len(config.warnings) == 1
    assert config.warnings[0].startswith(name)
    assert hint in config.warnings[0]


def test_what_kubernetes_injects_for_a_service_called_ordinate_is_ignored() -> None:
    injected = {
        "ORDINATE_PORT": "tcp://10.96.0.7:8000",
        "ORDINATE_SERVICE_HOST": "10.96.0.7",
        "ORDINATE_SERVICE_PORT": "8000",
        "ORDINATE_SERVICE_PORT_HTTP": "8000",
        "ORDINATE_PORT_8000_TCP": "tcp://10.96.0.7:8000",
        "ORDINATE_PORT_8000_TCP_PROTO": "tcp",
        "ORDINATE_PORT_8000_TCP_PORT": "8000",
        "ORDINATE_PORT_8000_TCP_ADDR": "10.96.0.7",
        "ORDINATE_CANARY_SERVICE_HOST": "10.96.0.8",
        "ORDINATE_CANARY_PORT": "tcp://10.96.0.8:8000",
    }

    config = Config.from_env(injected)

    assert config == Config.from_env({})


def test_signatures_cannot_be_required_without_keys_to_check_them_by() -> None:
    with pytest.raises(ConfigError, match="ORDINATE_REQUIRE_SIGNATURE is on without") as caught:
        Config.from_env({"ORDINATE_REQUIRE_SIGNATURE": "on"})

    assert "ORDINATE_TRUSTED_KEYS" in caught.value.message
    assert caught.value.message.isprintable()
