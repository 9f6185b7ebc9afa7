"""The admin tool: in this process, or as the program that it is."""

import os
import subprocess
import sys
from pathlib import Path

from click.testing import Result

from app import create_app
from app.config import Config
from tests.support.server import ROOT


def invoked(env: dict[str, str], *arguments: str | Path) -> Result:
    """What ``flask --app wsgi`` does with these arguments under these settings."""
    app = create_app(Config.from_env(env), load=False)
    return app.test_cli_runner().invoke(args=[*map(str, arguments)])


def flask(*arguments: str, folder: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the real program in a folder."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("flask")), "--app", str(ROOT / "wsgi"), *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def assert_refused(result: Result, says: str) -> None:
    """One line on stderr, nothing on stdout, exit code 1."""
    assert says in result.stderr
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert len(result.stderr) < 400
    assert (result.stdout, result.exit_code) == ("", 1)
