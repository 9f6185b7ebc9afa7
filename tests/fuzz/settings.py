"""Settings: any text is a value or stops the start with one line that names the variable."""

from collections.abc import Iterator

from app.config import SETTINGS, Config
from app.errors import ConfigError

_NAMES = {setting.variable for setting in SETTINGS}


def seeds() -> Iterator[bytes]:
    """A variable, an equals sign, a value."""
    for setting in SETTINGS:
        for value in (
            setting.default,
            "",
            "0",
            "-1",
            "1e3",
            "on",
            "x:5",
            "9" * 400,
            "\u0661",
            "a b",
        ):
            yield f"{setting.variable}={value}".encode()
    yield b"ORDINATE_STRANGER=1"
    yield b"ORDINATE_CANARY=tiny:100.0001"


def check(data: bytes) -> None:
    """Take it for an environment of one variable."""
    name, _, value = data.decode("utf-8", "surrogateescape").partition("=")
    told: tuple[str, ...] = ()
    try:
        told = Config.from_env({name: value}).warnings
    except ConfigError as error:
        told = (error.message,)
    assert all(each.isprintable() for each in told), "it may not be one line"
    if name in _NAMES:
        assert all(name in each for each in told)
