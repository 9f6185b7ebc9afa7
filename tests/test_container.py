"""The image is built for real, and containers of it are run, by tests/container/run.sh."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SKIPPED = 77


# Minutes where nothing is cached yet: a base image, then wheels of 160 MB.
@pytest.mark.timeout(1500)
def test_the_image_serves_and_trains_without_any_rights() -> None:
    run = subprocess.run(
        ["bash", "tests/container/run.sh"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    if run.returncode == SKIPPED:
        pytest.skip(run.stdout.strip().splitlines()[-1].removeprefix("SKIP: "))
    assert run.returncode == 0, f"\n{run.stdout}"
