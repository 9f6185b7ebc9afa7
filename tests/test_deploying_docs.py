"""docs/deploying.md: its commands and its unit start what they should."""

import configparser
import re
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.server import ROOT, Server

TEXT = (ROOT / "docs" / "deploying.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(.+)\n([^`]*)^```$", TEXT, re.MULTILINE)
UNIT = next(text for kind, text in BLOCKS if kind == "ini")


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze")
    # Where it is installed is the reader's; that the program exists is checked as well.
    program = tmp_path / ".venv" / "bin" / "gunicorn"
    program.parent.mkdir(parents=True)
    program.symlink_to(shutil.which("true") or "/bin/true")
    unit = tmp_path / "ordinate.service"
    unit.write_text(UNIT.replace("/srv/ordinate", str(tmp_path)))

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert [line for line in done.stderr.splitlines() if "ordinate" in line] == []


def test_the_unit_starts_gunicorn_where_its_settings_are() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(UNIT)
    service = unit["Service"]

    program, *arguments = shlex.split(service["ExecStart"])

    assert program == f"{service['WorkingDirectory']}/.venv/bin/gunicorn"
    assert arguments == ["wsgi:app"]


def test_gunicorn_tells_systemd_when_it_is_up(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(20)
        with Server(tmp_path, NOTIFY_SOCKET=address):
            assert b"READY=1" in manager.recv(4096)
