"""Commands whose output goes nowhere: no key is lost by it, and the reason is one line."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import click
import pytest
from flask.cli import ScriptInfo

from app import create_app
from app.commands.printing import say
from app.config import Config
from tests.support.api_keys import bearer, made, name_of, ring

Told = Callable[..., str]

needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")


def full() -> TextIO | None:
    """A file on a disk that is full; closed by who asks for it."""
    return open("/dev/full", "w", encoding="utf-8")


def closed() -> TextIO | None:
    """What Python has where a shell says `>&-`."""
    return None


def unread() -> TextIO | None:
    """A pipe whose reader is gone."""
    reading, writing = os.pipe()
    os.close(reading)
    return open(writing, "w", encoding="utf-8")


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Runs a command whose standard output is that one, and gives the line it ends with."""
    env = {
        "ORDINATE_KEYS": str(tmp_path / "keys.json"),
        "ORDINATE_MODELS": str(tmp_path / "models"),
    }
    info = ScriptInfo(create_app=lambda: create_app(Config.from_env(env), load=False))

    def run(make: Callable[[], TextIO | None], *arguments: str) -> str:
        monkeypatch.setattr(sys, "stdout", stream := make())
        with pytest.raises(click.ClickException) as caught:
            info.load_app().cli.main(args=[*arguments], obj=info, standalone_mode=False)
        if stream is not None:
            with suppress(OSError):  # what it still holds goes nowhere as well
                stream.close()
        return caught.value.message

    return run


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(full, "standard output cannot be written: No space left", marks=needs_full),
        (closed, "standard output is closed"),
        (unread, "nobody reads standard output"),
    ],
)
@pytest.mark.parametrize(
    "command", [("rotate", "web"), ("new", "--name", "more", "--scope", "predict")], ids=" ".join
)
def test_a_key_that_reaches_nobody_is_not_made(
    make: Callable[[], TextIO | None],
    reason: str,
    command: tuple[str, ...],
    told: Told,
    tmp_path: Path,
) -> None:
    key = made(tmp_path / "keys.json", "web")
    before = (tmp_path / "keys.json").read_bytes()

    assert told(make, "keys", *command).startswith(reason)

    assert (tmp_path / "keys.json").read_bytes() == before
    assert name_of(ring(tmp_path / "keys.json"), bearer(key)) == "web"
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


@needs_full
@pytest.mark.parametrize(
    "command", [("keys", "list"), ("keys", "signing", "new"), ("certs", "new")], ids=" ".join
)
def test_what_cannot_be_printed_is_one_line(
    command: tuple[str, ...], told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "keys.json", "web")
    monkeypatch.chdir(tmp_path)

    assert told(full, *command) == "standard output cannot be written: No space left on device"


@needs_full
def test_what_cannot_be_said_beside_a_key_does_not_cost_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = open("/dev/full", "w", encoding="utf-8")  # noqa: SIM115 - its end fails as well
    monkeypatch.setattr(sys, "stderr", stream)
    raised = None
    try:
        say("beside", err=True)
    except OSError as error:
        raised = error
    with suppress(OSError):
        stream.close()

    assert raised is None
