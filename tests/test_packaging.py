"""What is installed, ignored and shipped is what the files beside the code say."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from app.version import __version__

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
SHELL_SCRIPTS = [".ci/run", "tests/container/run.sh"]
PROGRAMS = ["train.py", "wsgi.py", "gunicorn.conf.py"]
IMPORTED_AS = {"jwt": "pyjwt", "prometheus_client": "prometheus-client", "sklearn": "scikit-learn"}
"""Where a package's name is not that of its module."""


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def assert_silent(*command: str | Path) -> None:
    """Run a checker that must find nothing."""
    done = run(*command)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


# ---- what is installed


def asked_for(name: str) -> dict[str, str]:
    """Each package of a .in file, with the comment right above it."""
    packages: dict[str, str] = {}
    reason = ""
    for line in (ROOT / name).read_text().splitlines():
        if line.startswith("#"):
            reason += line.strip("# ")
        elif line and not line.startswith("-"):
            packages[re.split(r"[<>=~!\[ ]", line)[0]] = reason
            reason = ""
        else:
            reason = ""
    return packages


def locked(name: str) -> dict[str, tuple[str, int]]:
    """Each package of a lock file, with its version and marker and its number of hashes."""
    text = (ROOT / name).read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    packages: dict[str, tuple[str, int]] = {}
    for line in lines:
        pin, *hashes = line.split("--hash=sha256:")
        package, equals, version = pin.strip().partition("==")
        assert equals, f"{name}: {line[:60]}"
        assert package not in packages, f"{name}: two versions of {package}"
        packages[package] = (version, len(hashes))
    return packages


@pytest.mark.parametrize(
    "name", ["requirements", "requirements-dev", "requirements-build", "requirements-fuzz"]
)
def test_each_package_asked_for_has_its_reason_and_is_locked(name: str) -> None:
    packages = asked_for(f"{name}.in")

    assert packages.keys() <= locked(f"{name}.txt").keys()
    assert [package for package, reason in packages.items() if not reason] == []


@pytest.mark.parametrize(
    "name",
    [
        "requirements.txt",
        "requirements-dev.txt",
        "requirements-build.txt",
        "requirements-fuzz.txt",
    ],
)
def test_each_locked_package_has_hashes_and_no_line_names_an_index_or_a_path(name: str) -> None:
    assert [package for package, (_, hashes) in locked(name).items() if not hashes] == []
    assert re.findall(r".*(?:://|^-|file:|index-url|find-links).*", (ROOT / name).read_text()) == []


def test_tests_run_on_the_very_versions_that_are_served() -> None:
    runtime = locked("requirements.txt")
    development = locked("requirements-dev.txt")

    assert {package: development.get(package) for package in runtime} == runtime


def test_what_our_code_imports_is_asked_for_and_nothing_else() -> None:
    files = chain((ROOT / "app").rglob("*.py"), (ROOT / name for name in PROGRAMS))

    imported = {module for file in files for module in imports(file)}
    foreign = imported - sys.stdlib_module_names - {"app"}

    assert {IMPORTED_AS.get(name, name) for name in foreign} == asked_for("requirements.in").keys()


def imports(file: Path) -> Iterator[str]:
    """The top-level names of all modules that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


# ---- what is shipped


def test_the_project_and_the_program_have_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == __version__


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    assert_silent(BIN / "hadolint", "Dockerfile")


def test_all_that_the_build_may_see_is_what_the_dockerfile_copies() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    dockerfile = (ROOT / "Dockerfile").read_text()

    seen = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)

    assert "*" in lines
    assert seen == {name for names in copies for name in names.split()}


def test_compose_yaml_follows_the_compose_specification() -> None:
    check_against("vendor.compose-spec", "compose.yaml")


def test_compose_itself_accepts_compose_yaml() -> None:
    if run_or_none("docker", "compose", "version"):
        compose = ["docker", "compose"]
    elif shutil.which("docker-compose"):
        compose = ["docker-compose"]
    else:
        pytest.skip("no Compose: install what tests/debian-packages.txt lists")

    assert_silent(*compose, "config", "--quiet")


def run_or_none(*command: str) -> str | None:
    """The output of a command, or None if it is not there or fails."""
    if not shutil.which(command[0]):
        return None
    done = run(*command)
    return done.stdout if done.returncode == 0 else None


def test_the_workflow_follows_the_schema_of_workflows() -> None:
    check_against("vendor.github-workflows", ".github/workflows/ci.yml")


def check_against(schema: str, name: str) -> None:
    assert_silent(BIN / "check-jsonschema", "--quiet", "--builtin-schema", schema, name)


def test_dependabot_yml_follows_its_schema() -> None:
    check_against("vendor.dependabot", ".github/dependabot.yml")


def test_the_workflow_gives_attackers_of_a_supply_chain_nothing_to_hold_on_to() -> None:
    done = run(BIN / "zizmor", "--offline", "--quiet", "--no-progress", ".github")

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_action_is_pinned_to_a_commit_and_names_its_version() -> None:
    for file in (ROOT / ".github").rglob("*.y*ml"):
        used = re.findall(r"^ *(?:- +)?[\"']?uses[\"']?:(.*)$", file.read_text(), re.MULTILINE)

        for action in used:
            assert re.fullmatch(r" [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_the_image_is_built_on_one_that_is_pinned_by_its_digest() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()

    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    (default,) = re.findall(r"^ARG BASE_IMAGE=(.+)$", dockerfile, re.MULTILINE)

    assert set(bases) == {"${BASE_IMAGE}"}
    assert re.fullmatch(r"python:\d\.\d+-slim@sha256:[0-9a-f]{64}", default)


def test_shellcheck_finds_nothing_in_the_shell_scripts() -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("no shellcheck: install what tests/debian-packages.txt lists")

    assert_silent("shellcheck", *SHELL_SCRIPTS)


# ---- what is ignored


@pytest.mark.parametrize(
    ("name", "ignored"),
    [
        (".venv/bin/python", True),
        ("app/__pycache__/config.cpython-313.pyc", True),
        ("app/compiled/rows-0123456789abcdef-linux-x86_64.so", True),
        ("models/default", True),
        ("models/diabetes/1/manifest.json", True),
        ("keys.json", True),
        ("keys.json.used", True),
        ("web.key", True),
        ("signing.pub", True),
        ("publish.py", True),
        ("models/README.md", False),
        ("tests/models/test_new.py", False),
        ("app/new.py", False),
    ],
)
def test_git_keeps_sources_and_leaves_out_what_is_made_from_them(name: str, ignored: bool) -> None:
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout")

    assert run("git", "check-ignore", "--no-index", name).returncode == (0 if ignored else 1)
