"""Programs in C that load a service or stand in for one: in Python they would be as busy as it."""

import subprocess
import tempfile
from functools import cache
from pathlib import Path

from app.compiled.building import NotBuilt, installed


@cache
def compiled(source: Path) -> str:
    """The path of a program, which is compiled the first time.

    Raises:
        SystemExit: there is no compiler, or it failed.
    """
    place = Path(tempfile.mkdtemp(prefix=f"{source.stem}-")) / source.stem
    try:
        subprocess.run([*installed(), "-O2", str(source), "-o", str(place)], check=True)
    except (NotBuilt, subprocess.CalledProcessError) as error:
        raise SystemExit(f"error: {source.name} needs a C compiler: {error}") from error
    return str(place)
