"""The commands of docs/signatures.md work, one after the other."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.model import load_model
from app.store import Reader
from tests.support.keys import trusted_in
from tests.support.server import ROOT

DOCUMENT = (ROOT / "docs" / "signatures.md").read_text("utf-8")
COMMANDS = re.findall(r"^```sh\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the programs and the environment, and no models yet."""
    for name in ("app", "train.py", "wsgi.py"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def test_the_commands_lead_from_a_first_key_to_the_next(checkout: Path) -> None:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ORDINATE_")}

    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", "".join(COMMANDS)],
        cwd=checkout,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    assert done.returncode == 0, done.stderr
    assert len(COMMANDS) == 4
    keys = trusted_in(checkout / "trusted")
    reader = Reader(checkout / "models", keys)
    assert list(keys.trusted) == [load_model(reader, "diabetes", 1).signed.key]
    assert done.stdout.count(": good, signed by ") == 4
    assert done.stdout.count(" is signed by ") == 4
