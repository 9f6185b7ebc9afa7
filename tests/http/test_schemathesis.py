"""Schemathesis attacks a real service with what its own OpenAPI document allows and forbids.

Bounded and repeatable here. With SCHEMATHESIS_EXAMPLES=1000 in the environment it tries so many
requests an operation, other ones each time, and may take an hour.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.api_keys import RULES, made
from tests.support.server import Server

EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES")
USUAL_EXAMPLES = "10"
PHASES = ("Examples", "Coverage", "Fuzzing", "Stateful")

# All checks are on. The statuses are those that Ordinate means to use, fewer than by default: a
# 5xx is never right. 404 is where a name was made up, 413 too many rows, 415 no body at all.
SETTINGS = """\
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "404"]

[checks.negative_data_rejection]
expected-statuses = ["400", "404", "413", "415"]

[generation]
database = "none"
"""


@pytest.mark.timeout(7200 if EXAMPLES else 120)
def test_schemathesis_finds_nothing(models: Path, tmp_path: Path) -> None:
    # Few rows allowed, so that more than allowed are tried.
    with Server(models, ORDINATE_MAX_ROWS="5", ORDINATE_ACCESS_LOG="off") as server:
        assert_nothing_found(server, tmp_path, USUAL_EXAMPLES, PHASES)


@pytest.mark.timeout(7200 if EXAMPLES else 120)
def test_schemathesis_finds_nothing_where_keys_are_asked_for(models: Path, tmp_path: Path) -> None:
    key = made(tmp_path / "keys.json", "tester", RULES)
    keys = {
        "ORDINATE_AUTH": "on",
        "ORDINATE_KEYS": str(tmp_path / "keys.json"),
        "ORDINATE_LIMIT_WRONG_KEYS": "none",
    }

    with Server(models, ORDINATE_MAX_ROWS="5", ORDINATE_ACCESS_LOG="off", **keys) as server:
        # Both headers, since it makes up the one it is not given, and two that differ are none.
        # It tries for itself what is answered without them.
        shown = ("--header", f"Authorization: Bearer {key}", "--header", f"X-API-Key: {key}")
        # Without all paths there are no links to follow.
        some = () if EXAMPLES else ("--include-path-regex", "^/(admin/.*|healthz|models|predict)$")
        phases = PHASES if EXAMPLES else PHASES[:3]
        assert_nothing_found(server, tmp_path, "3", phases, *shown, *some)


def assert_nothing_found(
    server: Server, folder: Path, usual: str, phases: Sequence[str], *more: str
) -> None:
    settings = folder / "schemathesis.toml"
    settings.write_text(SETTINGS)
    amount = ["-n", EXAMPLES] if EXAMPLES else ["-n", usual, "--generation-deterministic"]
    found = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings)),
            *("run", f"{server.url}/openapi.json", "--checks", "all", "--no-color", *amount),
            *more,
        ],
        cwd=folder,  # it writes its caches where it runs
        capture_output=True,
        text=True,
        check=False,
    )

    assert found.returncode == 0, found.stdout + found.stderr
    assert "No issues found" in found.stdout
    for phase in phases:
        assert re.search(rf"^\s*✅ {phase}$", found.stdout, re.MULTILINE), f"{phase} did not run"
    if phases == PHASES:
        assert re.search(r"Operations: +(\d+) selected / \1 total", found.stdout)
