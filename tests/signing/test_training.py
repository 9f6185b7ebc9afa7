"""train.py signs with the key of the settings, or says before the work that it cannot."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.model import load_model
from app.store import Reader
from tests.support.keys import signer, trusted_in
from tests.support.server import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Trains the built-in model with these settings."""

    def invoke(**env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "train.py"), "--models", str(tmp_path / "models")],
            env=os.environ | env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return invoke


def test_what_is_trained_with_a_key_is_signed_and_loads_where_that_is_required(
    run: Run, tmp_path: Path
) -> None:
    mine = signer(tmp_path / "keys", "mine")

    done = run(ORDINATE_SIGNING_KEY=str(tmp_path / "keys" / "mine.pem"))

    assert (done.returncode, done.stderr) == (0, "")
    assert f"Signed by the key {mine.key}\n" in done.stdout
    reader = Reader(tmp_path / "models", trusted_in(tmp_path / "keys"))
    assert reader.current("diabetes").version == 1
    assert load_model(reader, "diabetes", 1).signed.key == mine.key


def test_a_challenger_is_compared_with_a_signed_champion_and_signed_as_well(
    run: Run, tmp_path: Path
) -> None:
    signer(tmp_path / "keys", "mine")
    env = {
        "ORDINATE_SIGNING_KEY": str(tmp_path / "keys" / "mine.pem"),
        "ORDINATE_TRUSTED_KEYS": str(tmp_path / "keys"),
        "ORDINATE_REQUIRE_SIGNATURE": "on",
    }

    first, second = run(**env), run(**env)

    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    reader = Reader(tmp_path / "models", trusted_in(tmp_path / "keys"))
    assert [reader.open("diabetes", v).signed.state for v in (1, 2)] == ["verified"] * 2
    assert reader.current("diabetes").version == 2


def test_without_a_key_nothing_is_said_of_signatures(run: Run, tmp_path: Path) -> None:
    done = run()

    assert (done.returncode, done.stderr) == (0, "")
    assert "igned" not in done.stdout
    assert list((tmp_path / "models").rglob("*.sig")) == []


@pytest.mark.parametrize("key", ["", "other.pem", "absent.pem"])
def test_what_no_service_would_load_is_not_trained(run: Run, tmp_path: Path, key: str) -> None:
    signer(tmp_path / "keys", "mine")
    signer(tmp_path, "other")

    done = run(
        ORDINATE_TRUSTED_KEYS=str(tmp_path / "keys"),
        ORDINATE_REQUIRE_SIGNATURE="on",
        ORDINATE_SIGNING_KEY=str(tmp_path / key) if key else "",
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("train.py: ")
    assert "ORDINATE_SIGNING_KEY" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "models").exists()
