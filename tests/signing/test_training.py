"""train.py signs with the key of the settings, or says before the work that it cannot."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.model import load_model
from app.store import Reader
from tests.support.keys import signer, trusted_in
from tests.support.server import ROOT
from tests.training.retraining import Run, runner


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Trains the built-in model in this process."""
    return runner(tmp_path / "models", capsys)


def test_what_is_trained_with_a_key_is_signed_and_loads_where_that_is_required(
    tmp_path: Path,
) -> None:
    mine = signer(tmp_path / "keys", "mine")

    done = subprocess.run(
        [sys.executable, str(ROOT / "train.py"), "--models", str(tmp_path / "models")],
        env=os.environ | {"ORDINATE_SIGNING_KEY": str(tmp_path / "keys" / "mine.pem")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert f"Signed by the key {mine.key}\n" in done.stdout
    reader = Reader(tmp_path / "models", trusted_in(tmp_path / "keys"))
    assert reader.current("diabetes").version == 1
    assert load_model(reader, "diabetes", 1).signed.key == mine.key


def test_a_challenger_is_compared_with_a_signed_champion_and_signed_as_well(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer(tmp_path / "keys", "mine")
    env = {
        "ORDINATE_SIGNING_KEY": str(tmp_path / "keys" / "mine.pem"),
        "ORDINATE_TRUSTED_KEYS": str(tmp_path / "keys"),
        "ORDINATE_REQUIRE_SIGNATURE": "on",
    }

    for name, value in env.items():
        monkeypatch.setenv(name, value)

    first, second = run(), run()

    assert (first[0], second[0]) == (0, 0), second
    reader = Reader(tmp_path / "models", trusted_in(tmp_path / "keys"))
    assert [reader.open("diabetes", v).signed.state for v in (1, 2)] == ["verified"] * 2
    assert reader.current("diabetes").version == 2


def test_without_a_key_nothing_is_said_of_signatures(run: Run, tmp_path: Path) -> None:
    code, out, err = run()

    assert (code, err) == (0, "")
    assert "igned" not in out
    assert list((tmp_path / "models").rglob("*.sig")) == []


@pytest.mark.parametrize("key", ["", "other.pem", "absent.pem"])
def test_what_no_service_would_load_is_not_trained(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    signer(tmp_path / "keys", "mine")
    signer(tmp_path, "other")

    monkeypatch.setenv("ORDINATE_TRUSTED_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("ORDINATE_REQUIRE_SIGNATURE", "on")
    monkeypatch.setenv("ORDINATE_SIGNING_KEY", str(tmp_path / key) if key else "")

    code, out, err = run()

    assert (code, out) == (2, "")
    assert err.startswith("train.py: ")
    assert "ORDINATE_SIGNING_KEY" in err
    assert err.count("\n") == 1
    assert not (tmp_path / "models").exists()
