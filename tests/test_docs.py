"""What the documentation says is true: its commands are run, its tables compared with the code."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app import create_app
from app.commands import predictions_group
from app.config import SETTINGS, Config
from app.security.uses import SUFFIX
from app.store import Keeper
from app.telemetry.families import FAMILIES, PREDICTIONS
from app.training.rows import ROWS_FILE
from benchmarks.processes import free_port
from tests.support.keys import signer, trusting
from tests.support.models import publish
from tests.support.server import ROOT

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text("utf-8")
COMMAND_SECONDS = 60
TAKEOVER_SECONDS = 10
SERVE_SECONDS = 60
STOP_SECONDS = 20

_FENCE = re.compile(r"^```(\w+)( \w+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """A command of the README and the answer that is shown below it, if one is."""

    line: int
    command: str
    kind: str | None
    shown: str


def _steps() -> list[Step]:
    blocks = [
        (README[: found.start()].count("\n") + 1, found[1], found[2], found[3])
        for found in _FENCE.finditer(README)
    ]
    following = [*blocks[1:], (0, "", None, "")]
    return [
        Step(line, text, after[1] if after[1] in ("json", "text") else None, after[3])
        for (line, kind, only, text), after in zip(blocks, following, strict=True)
        if kind == "sh" and only is None
    ]


STEPS = _steps()


class Reader:
    """Somebody who follows the README in a fresh copy of the project, on a free port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.tls_port = str(free_port()), str(free_port())
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("ORDINATE_", "MAKE"))}
        self.env = clean | {"PORT": self.port, "HOST": "127.0.0.1"}
        self.service: subprocess.Popen[bytes] | None = None

    def run(self, command: str) -> str:
        """What a command prints; `make serve` keeps running while the rest is read."""
        command = command.replace(":8000", f":{self.port}").replace("/tmp/", f"{self.folder}/")
        command = command.replace("8443", self.tls_port)
        if command.strip().endswith("make serve"):
            self.stop()
            self._serve(dict(each.split("=", 1) for each in command.split()[:-2]))
            return ""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _serve(self, settings: dict[str, str]) -> None:
        self.service = subprocess.Popen(
            ["make", "serve"],
            cwd=self.folder,
            env=self.env | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self.service.stdout is not None
        for line in self.service.stdout:  # ends when the service does
            if line.startswith(b"POST "):  # said last, after a first training
                break
        wait = f"until curl -sf http://127.0.0.1:{self.port}/readyz; do sleep 0.05; done"
        subprocess.run(["bash", "-c", wait], check=True, timeout=SERVE_SECONDS, capture_output=True)

    def stop(self) -> None:
        """End the service and what make started for it."""
        if self.service is not None:
            os.killpg(self.service.pid, signal.SIGTERM)
            self.service.communicate(timeout=STOP_SECONDS)
            self.service = None


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def _same(step: Step, printed: str) -> bool:
    return bool(_rounded(json.loads(printed)) == _rounded(json.loads(step.shown)))


def _assert_same(shown: str, printed: str, kind: str) -> None:
    """Compare what is shown with what was printed; numbers may differ by what platforms differ."""
    if kind == "json":
        assert _rounded(json.loads(printed)) == _rounded(json.loads(shown))
        return
    shown, printed = _TIME.sub("(time)", shown), _TIME.sub("(time)", printed)
    assert _NUMBER.sub("#", printed) == _NUMBER.sub("#", shown)
    ours, theirs = map(float, _NUMBER.findall(printed)), map(float, _NUMBER.findall(shown))
    assert list(ours) == pytest.approx(list(theirs), rel=1e-2)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return value


@pytest.fixture
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git has or would have, with an environment that is set up."""
    return _copied(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reader in such a copy, set up as after a first `make serve`."""
    if shutil.which("make") is None or shutil.which("curl") is None:
        pytest.skip("the README's commands need make and curl")
    if not (Path(sys.prefix) / "runtime.stamp").exists():
        pytest.skip("this environment was not made by make, and the README would set up another")
    reader = Reader(_copied(tmp_path_factory.mktemp("checkout")))
    yield reader
    reader.stop()


def _copied(folder: Path) -> Path:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in names.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    return folder


def test_without_make_and_without_a_compiler_a_model_is_trained_all_the_same(
    copy: Path, tmp_path: Path
) -> None:
    (commands,) = (found[3] for found in _FENCE.finditer(README) if found[2] == " alone")
    setting_up, serving = ("python3 -m venv", ".venv/bin/pip install"), ".venv/bin/gunicorn"
    lines = [line for line in commands.splitlines() if not line.startswith(setting_up)]
    assert lines.pop().startswith(serving)

    done = subprocess.run(
        ["/bin/sh", "-euc", "\n".join(lines)],
        cwd=copy,
        env={"PATH": str(tmp_path), "ORDINATE_MODELS": str(tmp_path / "models")},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "Published as version 1" in done.stdout
    assert (tmp_path / "models" / "diabetes" / "current").is_file()


def test_the_readme_answers_by_its_fifteenth_line() -> None:
    assert any('{"y":' in line for line in README.splitlines()[:15])


def test_the_readme_shows_a_row_with_the_same_answer_alone_and_in_a_batch() -> None:
    alone, batch = (json.loads(step.shown)["y"] for step in STEPS[1:3])

    assert batch[0] == alone


@pytest.mark.parametrize("step", STEPS, ids=[f"line {step.line}" for step in STEPS])
def test_a_command_of_the_readme_prints_what_is_shown(reader: Reader, step: Step) -> None:
    until = time.monotonic() + TAKEOVER_SECONDS
    printed = reader.run(step.command)
    # A person takes longer to paste a line than the service to take over a new model.
    while step.kind == "json" and not _same(step, printed) and time.monotonic() < until:
        printed = reader.run(step.command)

    if step.kind is not None:
        _assert_same(step.shown, printed.replace(f":{reader.port}", ":8000"), step.kind)


def test_the_settings_table_is_that_of_the_code() -> None:
    rows = [
        f"| `{setting.variable}` | {f'`{setting.default}`' if setting.default else ''} "
        f"| {setting.purpose} |"
        for setting in SETTINGS
    ]

    assert "\n".join(rows) in README


def test_the_routes_table_has_every_route_and_no_other() -> None:
    app = create_app(Config.from_env({"ORDINATE_AUTH": "on"}), load=False)
    served = {
        (method, re.sub(r"<(\w+)>", lambda part: _SHOWN_AS[part[1]], rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    documented = set(re.findall(r"^\| (GET|POST) \| `(/[^`]*)` \|", README, re.MULTILINE))

    assert documented == served


_SHOWN_AS = {"name": "NAME", "version": "V", "label": "L"}


def test_every_file_that_the_documents_link_to_exists() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_series_that_the_documents_name_is_counted() -> None:
    counted = {family.name for family in (*FAMILIES, PREDICTIONS)}

    for document in DOCUMENTS:
        named = set(re.findall(r"\bordinate_\w+_total\b", document.read_text("utf-8")))
        assert named <= counted, document.name


def test_privacy_md_says_of_every_setting_of_the_prediction_log_and_every_command() -> None:
    text = (ROOT / "docs" / "privacy.md").read_text("utf-8")

    for setting in SETTINGS:
        assert "PREDICTION_LOG" not in setting.variable or setting.variable in text
    for name in predictions_group.commands:
        assert f"predictions {name}" in text


def test_privacy_md_has_a_row_for_each_place_where_something_is_kept() -> None:
    text = (ROOT / "docs" / "privacy.md").read_text("utf-8")
    table = text.partition("| where | what of an input |")[2].partition("\n\n")[0]

    for place in (f"`keys.json{SUFFIX}`", "`ORDINATE_STATE`", "prediction log", "stdout", "stderr"):
        assert place in table
    assert "Redis" in table
    assert "`sub` of the token" in table


def test_the_page_in_the_models_folder_names_every_file_there(tmp_path: Path) -> None:
    mine = signer(tmp_path / "keys", "mine")
    for _ in range(2):
        publish(tmp_path / "models", "tiny", keys=trusting(mine, signs=mine))
    Keeper(tmp_path / "models").set_label("tiny", "label", 1)
    folder = tmp_path / "models" / "tiny"

    found = {path.name for path in (folder, *folder.iterdir(), *(folder / "2").iterdir())}
    text = (ROOT / "models" / "README.md").read_text("utf-8")
    listed = {name.lower() for name in re.findall(r"^ {6,}(\S+) ", text, re.MULTILINE)}

    assert found - {"tiny", "1", "2"} - listed == set()
    assert {"default", ROWS_FILE} <= listed


def test_contributing_names_every_room() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rooms = {path.name for path in (ROOT / "app").iterdir() if path.name[0] not in "_."}

    missing = {room for room in rooms if room not in text}

    assert not missing
