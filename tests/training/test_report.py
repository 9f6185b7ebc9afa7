"""What train.py tells may be told to nobody: that changes nothing of what it does."""

import subprocess
import sys
from pathlib import Path

import pytest

import train
from app.model import load_model
from app.store import Reader

FULL = Path("/dev/full")
ROOT = Path(__file__).resolve().parents[2]


def _program(models: Path, closed: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    program = [sys.executable, str(ROOT / "train.py"), "--models", str(models), *arguments]
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", *program]
    return subprocess.run(command, capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_stream_that_is_closed_from_the_start_does_not_keep_the_model_from_being_published(
    tmp_path: Path, closed: str
) -> None:
    published = _program(tmp_path / "models", closed)
    refused = _program(tmp_path / "models", closed, "--folds", "1")

    assert (published.returncode, published.stderr) == (0, b"")
    assert (refused.returncode, refused.stdout) == (2, b"")
    load_model(Reader(tmp_path / "models"), "diabetes", 1)


@pytest.mark.skipif(not FULL.exists(), reason="no device here that is always full")
def test_the_exit_code_tells_what_a_log_on_a_full_disk_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for rule in ("sometimes", "better", "better"):
        with FULL.open("w", encoding="utf-8") as log:
            monkeypatch.setattr(sys, "stderr", log)
            found.append(train.main(["--models", str(tmp_path), "--folds", "2", "--promote", rule]))

    assert found == [2, 0, 3]
