"""Secrets: read from files as well, and never shown."""

from pathlib import Path

import pytest

from app.casts import Secret, optional
from app.config import Setting
from app.errors import ConfigError

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
