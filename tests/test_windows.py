"""Without what Windows lacks: this is no Windows, but finds what would not start there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.keys import signer, trusting
from tests.support.models import publish
from tests.support.server import ROOT

AS_ON_WINDOWS = """
import os, select, socket, stat, sys
import asyncio, ctypes, flask, mmap, numpy, orjson, tempfile, waitress.server
from cryptography.hazmat.primitives.asymmetric import ed25519

for module in ("fcntl", "resource", "pwd", "grp"):
    sys.modules[module] = None
for name in dir(os):
    if name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOFOLLOW", "O_DIRECTORY", "chown", "fork", "pread",
                "pwrite", "memfd_create", "register_at_fork", "sched_getaffinity", "geteuid"):
        delattr(os, name)
os.supports_dir_fd = set()
def refuse(*_):
    raise OSError(10038, "only sockets can be waited for")
select.select = refuse
sys.platform = "win32"
"""

ASKING = """
import wsgi
from app.http.fast import FastPath
for _ in range(2):
    answer = wsgi.app.test_client().post("/predict", json={"x": [1, 2, 0.5]})
    print(answer.status_code, answer.headers.get("X-Model"), flush=True)
wsgi.app.extensions["ordinate"].watcher.look()
"""


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_it_answers_and_logs_to_a_pipe(signed: bool, tmp_path: Path) -> None:
    mine = signer(tmp_path, "mine")
    models = tmp_path / "models"
    publish(models, "tiny", linear=True, keys=trusting(mine, signs=mine))
    settings = {"ORDINATE_MODELS": str(models)}
    if signed:
        settings |= {
            "ORDINATE_REQUIRE_SIGNATURE": "on",
            "ORDINATE_TRUSTED_KEYS": str(tmp_path / "mine.pub"),
        }

    done = subprocess.run(
        [sys.executable, "-c", AS_ON_WINDOWS + ASKING],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("ORDINATE_")} | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines.count("200 tiny/1") == 2
    logged = [json.loads(line) for line in lines if line.startswith("{")]
    assert [line["status"] for line in logged] == [200, 200]
    loaded = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(event["model"], event["outcome"]) for event in loaded] == [("tiny", "loaded")]
