"""Secrets: read from files as well, and never shown."""

import os
import re
import subprocess
import sys
import traceback
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from app.casts import Secret, optional
from app.config import SETTINGS, Config, Setting
from app.errors import ConfigError
from app.http.service import Service
from app.telemetry.lines import encode
from tests.support.server import ROOT

SETTING = Setting("ORDINATE_X", "x", "", optional(Secret), "a text", "For tests.", secret=True)


def test_a_secret_is_read_from_its_variable_or_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("hidden\n")

    assert SETTING.read({"ORDINATE_X": "hidden"}) == Secret("hidden")
    assert SETTING.read({"ORDINATE_X_FILE": str(file)}) == Secret("hidden")
    assert SETTING.read({}) is None


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret("hidden")

    assert secret.reveal() == "hidden"
    assert "hidden" not in f"{secret} {secret!r} {[secret]}"


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "No such file"), (b"", "is empty"), (b"\xff", "it is not text")],
)
def test_what_cannot_be_read_is_told_without_the_secret(
    content: bytes | None, problem: str, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ConfigError, match=problem):
        SETTING.read({"ORDINATE_X_FILE": str(file)})


def test_two_sources_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="both set") as raised:
        SETTING.read({"ORDINATE_X": "hidden", "ORDINATE_X_FILE": str(tmp_path)})

    assert "hidden" not in raised.value.message


def test_a_setting_that_sounds_like_a_secret_is_one_or_names_a_file() -> None:
    sounding = [
        setting
        for setting in SETTINGS
        if re.search("KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL|URL", setting.variable)
        and not setting.variable.startswith("ORDINATE_LIMIT_")  # how often a key may be used
    ]

    assert sounding
    for setting in sounding:
        assert setting.secret or isinstance(setting.cast("x"), Path), setting.variable


@pytest.mark.parametrize(
    "setting",
    [SETTING, *(each for each in SETTINGS if each.secret)],
    ids=lambda each: each.variable,
)
def test_a_secret_is_masked_wherever_its_holder_is_shown(setting: Setting) -> None:
    value = "redis://:hidden@127.0.0.1:1/0" if setting.variable.endswith("URL") else "hidden"
    secret = setting.read({setting.variable: value})
    config = replace(Config.from_env({}), state=secret)
    service = Service.create(replace(config, state=None))

    shown = [repr(config), repr(replace(service, config=config)), str(asdict(config))]
    shown += [encode({"config": config, "secret": secret}).decode(), f"{secret!s} {secret!a}"]
    shown += traceback.format_exception(ConfigError(secret))

    assert "***" in shown[0]
    assert not [text for text in shown if "hidden" in text]


def test_a_variable_that_is_misspelt_is_told_without_its_value() -> None:
    config = Config.from_env({"ORDINATE_LIMITS_URLS": "redis://:hidden@host"})

    assert config.warnings
    assert "hidden" not in repr(config)


def test_gunicorn_shows_no_environment_when_it_tells_all_it_can() -> None:
    environment = os.environ | {"ORDINATE_LOG_LEVEL": "debug", "ORDINATE_X_KEY": "hidden"}
    command = [sys.executable, "-m", "gunicorn", "--print-config", "wsgi:app"]

    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert "workers" in done.stdout
    assert "hidden" not in done.stdout + done.stderr
