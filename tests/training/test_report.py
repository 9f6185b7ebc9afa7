"""What train.py tells may be told to nobody: that changes nothing of what it does."""

import subprocess
import sys
from pathlib import Path

import pytest

import train
from app.model import load_model
from app.store import Reader
from app.training import report
from app.training.report import about_publication
from tests.support.models import publish

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


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"HOST": "0.0.0.0", "PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"HOST": "::1"}, "http://[::1]:8000"),
        ({"ORDINATE_TLS_CERT": "a.pem", "ORDINATE_TLS_KEY": "b.pem"}, "https://127.0.0.1:8000"),
    ],
)
def test_the_line_to_paste_goes_to_where_the_settings_have_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], url: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    lines = list(about_publication(publish(tmp_path, "tiny"), tmp_path, "tiny"))

    assert [line for line in lines if line.startswith(f"curl -s {url}/predict ")]


def test_where_there_is_no_makefile_as_in_the_image_gunicorn_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = publish(tmp_path, "tiny")
    monkeypatch.setenv("ORDINATE_MODELS", str(tmp_path))
    with_make = list(about_publication(manifest, tmp_path, "tiny"))
    monkeypatch.setattr(report, "_MAKEFILE", tmp_path / "Makefile")
    without = list(about_publication(manifest, tmp_path, "tiny"))

    assert with_make[1].endswith("by itself): make serve")
    assert without[1].endswith("by itself): gunicorn wsgi:app")


def test_the_line_to_paste_shows_a_key_where_one_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDINATE_AUTH", "on")

    lines = list(about_publication(publish(tmp_path, "tiny"), tmp_path, "tiny"))

    assert '/predict -H "Authorization: Bearer $KEY" -H ' in next(
        line for line in lines if line.startswith("curl")
    )
