"""docs/retraining.md: its commands parse, its units and its manifest are what they should be."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with schemathesis

from app.config import Config
from app.training.options import Options, parse
from app.training.promotion import RULES
from tests.soak.promotions import COUNT, SCENES

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "retraining.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"^```(.+)\n([^`]*)^```$", TEXT, re.MULTILINE))


def train_commands() -> Iterator[list[str]]:
    """The arguments of each train.py that is run on a schedule."""
    for name in ("crontab", "ini service"):
        for found in re.findall(r"python train\.py ([^>\n]*)", BLOCKS[name]):
            yield shlex.split(found)
    yield container()["command"][2:]


def cron_job() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(BLOCKS["yaml"])
    return found


def container() -> dict[str, Any]:
    (found,) = cron_job()["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def parsed(arguments: list[str]) -> Options:
    return parse(arguments, Config.from_env({}))


def test_each_schedule_trains_the_same_and_only_if_something_changed() -> None:
    commands = list(train_commands())

    assert len(commands) == 3
    assert all(parsed(arguments) == parsed(commands[0]) for arguments in commands)
    assert parsed(commands[0]).if_changed
    assert parsed(commands[0]).terms.rule == "not-worse"


def test_the_cron_line_runs_one_at_a_time_and_mails_errors_alone() -> None:
    _, line = BLOCKS["crontab"].strip().splitlines()
    *times, command = line.split(maxsplit=5)

    assert all(re.fullmatch(r"\*|\d+", time) for time in times)
    assert "flock -n " in command
    assert command.endswith(" >/dev/null")
    assert "2>" not in command
    assert "%" not in command  # a line end to cron


def test_systemd_accepts_the_service_and_the_timer(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze")
    for kind in ("service", "timer"):
        # Where it is installed is the reader's; that the program exists is checked as well.
        text = BLOCKS[f"ini {kind}"].replace("/srv/ordinate", str(tmp_path))
        (tmp_path / f"retrain.{kind}").write_text(text)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(shutil.which("true") or "/bin/true")

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no"]
        + [str(tmp_path / f"retrain.{kind}") for kind in ("service", "timer")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert [line for line in done.stderr.splitlines() if "retrain" in line] == []


def test_who_publishes_is_not_who_serves() -> None:
    deploying = (ROOT / "docs" / "deploying.md").read_text("utf-8")
    serves, publishes = (
        re.findall(r"^User=(.+)$", text, re.MULTILINE)
        for text in (deploying, BLOCKS["ini service"])
    )

    assert "Models are published by a user of their own" in deploying
    assert [len(serves), len(publishes)] == [1, 1]
    assert serves != publishes


def test_the_cron_job_runs_one_at_a_time_and_does_not_repeat_what_cannot_be_mended_so() -> None:
    job = cron_job()
    template = job["spec"]["jobTemplate"]["spec"]

    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    (rule,) = template["podFailurePolicy"]["rules"]
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", [2, 3])
    assert rule["onExitCodes"]["containerName"] == container()["name"]
    assert template["template"]["spec"]["restartPolicy"] == "Never"  # as such a policy demands


def test_the_cron_job_writes_where_the_image_looks_for_models() -> None:
    mounts = {mount["name"]: mount for mount in container()["volumeMounts"]}
    volumes = cron_job()["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"]

    assert f"ORDINATE_MODELS={mounts['models']['mountPath']}" in (ROOT / "Dockerfile").read_text()
    assert "readOnly" not in mounts["models"]
    assert mounts.keys() == {volume["name"] for volume in volumes}


def test_every_rule_and_every_figure_of_the_soak_is_in_the_tables() -> None:
    for rule in RULES:
        assert f"| `{rule}`" in TEXT
    for scene in SCENES:
        row = re.search(rf"\| `{scene.rule}` \| {re.escape(scene.says)} \| (\d+) of 2,000 \|", TEXT)
        assert row, scene.says
        if scene.most is not None:
            assert int(row[1]) <= scene.most * COUNT
        if scene.least is not None:
            assert int(row[1]) >= scene.least * COUNT
