"""The Makefile, as someone with a fresh clone and an impatient Ctrl-C meets it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.processes import free_port

ROOT = Path(__file__).resolve().parents[1]
VENV = Path(sys.prefix)
ROW = [0.0381, 0.0507, 0.0617, 0.0219, -0.0442, -0.0348, -0.0434, -0.0026, 0.0199, -0.0176]

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="no make")


def clean_environment(**settings: str) -> dict[str, str]:
    """The environment without what an outer make, or a developer, has set."""
    mine = ("MAKE", "MFLAGS", "ORDINATE_", "HOST", "PORT", "PYTHON", "VENV")
    return {k: v for k, v in os.environ.items() if not k.startswith(mine)} | settings


def make(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        env=clean_environment(**settings),
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_alone_lists_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony

    listed = re.findall(r"^  make ([\w-]+) +\w", make().stdout, re.MULTILINE)

    assert sorted(listed) == sorted(phony[1].split())


@pytest.mark.parametrize(
    ("program", "shown"),
    [("echo Python 3.9.18; exit 1", "is Python 3.9.18"), (None, "not found")],
    ids=["too old", "absent"],
)
def test_an_unfit_python_is_refused_in_one_line(
    tmp_path: Path, program: str | None, shown: str
) -> None:
    python = tmp_path / "python"
    if program:
        python.write_text(f"#!/bin/sh\n{program}\n")
        python.chmod(0o755)

    done = make("serve", f"PYTHON={python}", f"VENV={tmp_path}/venv")

    complaint, *rest = done.stderr.splitlines()
    assert done.returncode == 2
    assert complaint.startswith("error: Ordinate needs Python 3.11 or newer")
    assert shown in complaint
    assert "PYTHON=" in complaint
    assert all(line.startswith("make: ***") for line in rest)
    assert not (tmp_path / "venv").exists()


def test_an_interrupted_set_up_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()

    planned = make("--dry-run", "serve", f"VENV={tmp_path}").stdout

    assert f"venv --clear {tmp_path}" in planned


def test_a_finished_set_up_is_kept_until_its_requirements_or_its_python_change(
    tmp_path: Path,
) -> None:
    (tmp_path / "bin").mkdir()
    python, stamp = tmp_path / "bin" / "python", tmp_path / "runtime.stamp"
    python.touch()
    stamp.touch()

    def is_kept() -> bool:
        return make("--question", str(stamp), f"VENV={tmp_path}").returncode == 0

    assert is_kept()
    os.utime(stamp, (0, 0))
    assert not is_kept()
    os.utime(stamp)
    assert is_kept()
    python.unlink()
    python.symlink_to(tmp_path / "an interpreter that was removed")
    assert not is_kept()


def test_make_serve_trains_serves_says_where_and_stops_at_ctrl_c(tmp_path: Path) -> None:
    if make("--question", f"{VENV}/runtime.stamp", f"VENV={VENV}").returncode:
        pytest.skip("these tests do not run in an environment that make set up")
    port = free_port()
    settings = {"ORDINATE_MODELS": str(tmp_path / "models"), "ORDINATE_WORKERS": "1"}

    with subprocess.Popen(
        ["make", "serve", f"VENV={VENV}", f"PORT={port}"],
        cwd=ROOT,
        env=clean_environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # a process group of its own, as a terminal gives it
    ) as served:
        try:
            said = read_until(served, "Listening at")
            answer = predict(port)
            os.killpg(served.pid, signal.SIGINT)
            rest, _ = served.communicate(timeout=20)
        finally:
            kill_group(served.pid)

    assert answer == {"y": pytest.approx(206.1, abs=1)}
    assert [line for line in said if f"http://127.0.0.1:{port}/predict" in line]
    assert "Traceback" not in rest
    # make's own, by version; 0 where these tests run in a background job, whose make ignores SIGINT
    assert served.returncode in (0, 2, -signal.SIGINT)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


@pytest.mark.parametrize(
    ("cert", "host", "url"),
    [
        ("", "127.0.0.1", "http://127.0.0.1:8443"),
        ("server.pem", "localhost", "https://localhost:8443"),
        ("", "::1", "http://[::1]:8443"),
    ],
)
def test_make_serve_says_what_is_spoken(tmp_path: Path, cert: str, host: str, url: str) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("bin/python", "bin/gunicorn"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    for name in ("runtime.stamp", "compiled.stamp", "tiny/1/manifest.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    settings = {"ORDINATE_MODELS": str(tmp_path), "ORDINATE_TLS_CERT": cert}

    said = make("serve", f"VENV={tmp_path}", f"HOST={host}", "PORT=8443", **settings).stdout

    assert said == f'POST {{"x": [...]}} to {url}/predict; {url}/ shows a line to paste\n'


def read_until(process: subprocess.Popen[str], words: str) -> list[str]:
    """The lines a process has written up to the first that holds these words."""
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return lines
    raise AssertionError("".join(lines))


def predict(port: int) -> object:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/predict",
        json.dumps({"x": ROW}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def kill_group(leader: int) -> None:
    with suppress(ProcessLookupError):  # it ended, as it should
        os.killpg(leader, signal.SIGKILL)


def test_setting_up_through_a_link_is_refused_before_anything_is_emptied(tmp_path: Path) -> None:
    precious = tmp_path / "real" / "precious"
    precious.parent.mkdir()
    precious.write_text("kept")
    link = tmp_path / "link"
    link.symlink_to(precious.parent)

    made = make(f"VENV={link}", f"PYTHON={sys.executable}", f"{link}/runtime.stamp")

    assert made.returncode == 2
    assert "is a link" in made.stderr
    assert precious.read_text() == "kept"
