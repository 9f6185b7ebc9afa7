"""Runs the suite in an environment of its own: ``python -m benchmarks.micro [arguments]``.

Arguments are pytest's.
"""

import os
import subprocess
import sys

from benchmarks import environments
from benchmarks.services import DATA, PLACE, ROOT


def main() -> int:
    """Set up, then run pytest. Returns its exit code."""
    if why := environments.install("micro"):
        print(f"error: {why}", file=sys.stderr)
        return 2
    if not (DATA / "models" / "default").is_file():
        environments.train(None, "")
    command = [
        *(str(PLACE / "micro" / "bin" / "python"), "-m", "pytest", "benchmarks/micro"),
        # The settings in pyproject.toml are for the tests, and ask for plugins that are not here.
        *("--config-file", os.devnull, "--rootdir", str(ROOT), "--import-mode", "importlib"),
        *(
            "--confcutdir",
            "benchmarks",
            "-p",
            "no:cacheprovider",
            "--quiet",
            "--benchmark-group-by",
            "group",
        ),
        *("--benchmark-columns", "median,iqr,ops,rounds", "--benchmark-sort", "name"),
    ]
    return subprocess.run([*command, *sys.argv[1:]], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
