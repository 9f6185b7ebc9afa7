"""Where the harnesses keep the files that they need."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

LIBRARY = "ORDINATE_FUZZED_LIBRARY"
"""Variable that names the compiled library to be fuzzed; else it is the one built for use."""


def place(name: str) -> Path:
    """A path of this name, in a folder that lasts as long as the process."""
    return _folder() / name


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ordinate-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
