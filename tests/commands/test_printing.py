"""Nothing that stands in a file drives the terminal on which a command prints it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result

from app.manifest import Manifest
from app.schema import Feature, Schema, Target
from app.store import Keeper, Store
from tests.support.commands import invoked
from tests.support.journal import Kept, record, written
from tests.support.models import PLAIN, described, fitted, publish

EVIL = "\x1b]0;title\x07\x1b[2J\x9b31m\x7f\r\n\u202egood"
NAMED = Schema(
    (Feature(f"width{EVIL}", "number", 0.0, 1.0), *PLAIN.features[1:]), Target("y", 0.0, 1.0, EVIL)
)

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs ``flask`` with these arguments in this process."""

    def invoke(*arguments: str | Path, **env: str) -> Result:
        return invoked({"ORDINATE_MODELS": str(tmp_path / "models"), **env}, *arguments)

    return invoke


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose manifest is all that a stranger could make of it, and good all the same."""
    root = tmp_path / "models"
    estimator = fitted(PLAIN)
    made = replace(
        described(PLAIN, estimator),
        schema=NAMED,
        training={"source": EVIL},
        estimator=f"LinearRegression{EVIL}",
    )
    written_by_others = Manifest.to_bytes
    monkeypatch.setattr(
        Manifest, "to_bytes", lambda self: written_by_others(replace(self, created=f"2026{EVIL}"))
    )
    Store(root).publish("tiny", made, {"model.joblib": b"x"})
    monkeypatch.undo()
    return root


def obeyed(text: str) -> list[str]:
    """What a terminal would not just show."""
    return [each for each in text if each in EVIL and not each.isprintable() and each != "\n"]


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("command", ["list", "show tiny", "verify", "activate tiny/1"])
def test_a_manifest_drives_no_terminal(command: str, run: Run) -> None:
    result = run("models", *command.split())

    assert not obeyed(result.stdout + result.stderr)
    assert result.stdout + result.stderr


@pytest.mark.usefixtures("models")
def test_one_model_is_one_line_of_the_list_and_can_still_be_read(run: Run) -> None:
    header, line = run("models", "list").stdout.splitlines()

    assert r"LinearRegression\u001b]0;title\u0007" in line
    assert r"2026\u001b]0;title\u0007\u001b[2J\u009b31m\u007f\u000d\u000a\u202egood" in line
    assert header.index("PUBLISHED") == line.index("2026")


def test_a_manifest_is_shown_as_the_same_json(run: Run, models: Path) -> None:
    shown = run("models", "show", "tiny").stdout

    assert json.loads(shown) == json.loads((models / "tiny" / "1" / "manifest.json").read_bytes())
    assert len(shown.splitlines()) > 20


def test_names_of_files_drive_no_terminal(run: Run, tmp_path: Path) -> None:
    publish(tmp_path / "models")
    (tmp_path / "models" / "tiny" / ".tmp-\x1b[2J\x9b").mkdir()
    (tmp_path / "models" / "tiny" / "labels").write_bytes(b"\x1b[2J")

    for command in (("models", "verify", "--repair"), ("models", "labels"), ("models", "list")):
        result = run(*command)

        assert not obeyed(result.stdout + result.stderr)
    assert Keeper(tmp_path / "models").names() == ["tiny"]


def test_what_clients_have_sent_drives_no_terminal(run: Run, tmp_path: Path) -> None:
    kept = Kept.below(tmp_path)
    body = f'{{"x":\t[1,"{EVIL[15:]}"]}}'.replace("\r\n", "").encode()
    strange = record(1)._replace(body=body, request_id=EVIL)
    written(kept.folder / "20270115T080000Z-7-00000001.sealed", kept.public, [strange])

    result = run("predictions", "show", "--key", kept.private, **kept.settings)

    assert not [each for each in obeyed(result.stdout) if each != "\t"]
    shown = json.loads(result.stdout)
    assert shown["request"] == json.loads(body)
    assert shown["request_id"] == EVIL
