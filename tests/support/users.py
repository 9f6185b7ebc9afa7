"""Programs of other users than the one who runs the tests, which takes root."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.server import ROOT

SERVICE, ADMINISTRATOR, GROUP = 61001, 61002, 62000
"""Numbers that no machine has names for."""

needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be somebody else"
)

_BECOME = """
import os, sys
os.setgroups([{groups}])
os.setgid({gid})
os.setuid({uid})
"""


def run_as(
    uid: int, groups: tuple[int, ...], before: str, after: str, *arguments: str | Path
) -> subprocess.CompletedProcess[str]:
    """Run Python as somebody else, who may not be able to read the libraries.

    Args:
        uid: user, and the first group.
        groups: the others.
        before: lines that root runs, imports above all.
        after: lines that the user runs, with the arguments in `sys.argv`.
        arguments: of the program.
    """
    become = _BECOME.format(uid=uid, gid=uid, groups=", ".join(map(str, groups)))
    return subprocess.run(
        [sys.executable, "-c", f"{before}\n{become}\n{after}", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def shared_folder(mode: int = 0o770) -> Iterator[Path]:
    """A folder of the service, of the group, with these rights, which everybody can get to."""
    folder = Path(tempfile.mkdtemp(prefix="ordinate-shared-"))
    try:
        os.chown(folder, SERVICE, GROUP)
        folder.chmod(mode)
        yield folder
    finally:
        shutil.rmtree(folder)
