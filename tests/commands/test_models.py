"""The admin tool: results on stdout, one line on stderr where something is wrong, exit codes."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from app.store import Pointer, Reader, Store
from tests.support.commands import assert_refused, flask, invoked
from tests.support.models import PLAIN, SINGLE, fitted, linear_numbers, publish

ROOT = Path(__file__).resolve().parents[2]

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with versions 1 to 3 of `tiny`, the default, and 1 of `single`."""
    root = tmp_path_factory.mktemp("template") / "models"
    for seed in (1, 2, 3):
        publish(root, "tiny", PLAIN, seed)
    publish(root, "single", SINGLE)
    return root


@pytest.fixture
def models(template: Path, tmp_path: Path) -> Path:
    """A copy of it to write to."""
    return Path(shutil.copytree(template, tmp_path / "models"))


@pytest.fixture
def run(models: Path) -> Run:
    """Runs ``flask models`` with these arguments in this process."""

    def invoke(*arguments: str, **env: str) -> Result:
        return invoked({"ORDINATE_MODELS": str(models), **env}, "models", *arguments)

    return invoke


def test_the_real_program_lists_the_models_and_writes_nothing_else(models: Path) -> None:
    done = flask("models", "list", ORDINATE_MODELS=str(models))

    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[:3] for line in done.stdout.splitlines()] == [
        ["NAME", "CURRENT", "VERSIONS"],
        ["single", "1", "1"],
        ["*", "tiny", "3"],
    ]


def test_the_real_program_ends_with_one_line_where_something_is_wrong(models: Path) -> None:
    done = flask("models", "remove", "tiny/3", ORDINATE_MODELS=str(models))

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "Error: version 3 of tiny is the current one: publish another first, or use --force\n"
    )


def test_a_wrong_setting_stops_the_real_program_with_one_line(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDINATE_WORKERS", "0")

    done = flask("models", "list", ORDINATE_MODELS=str(models))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        'error: ORDINATE_WORKERS is "0", allowed is auto or an integer from 1 to 512\n'
    )


def test_the_real_program_verifies_a_folder_with_a_broken_model(models: Path) -> None:
    (models / "tiny" / "3" / "model.joblib").write_bytes(b"damaged")

    done = flask("models", "verify", "tiny/3", ORDINATE_MODELS=str(models))

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == ("tiny/3: its model.joblib does not match the digest in its manifest\n")


def test_list_shows_versions_time_and_estimator_and_marks_the_default(run: Run) -> None:
    result = run("list")

    header, single, tiny = result.stdout.splitlines()
    assert header.split() == ["NAME", "CURRENT", "VERSIONS", "PUBLISHED", "ESTIMATOR"]
    assert tiny.split()[:4] == ["*", "tiny", "3", "1-3"]
    assert single.split()[:3] == ["single", "1", "1"]
    assert single.endswith("Z  LinearRegression")
    assert tiny.index("LinearRegression") == header.index("ESTIMATOR")
    assert (result.exit_code, result.stderr) == (0, "")


def test_list_marks_the_model_that_the_settings_choose(run: Run) -> None:
    result = run("list", ORDINATE_MODEL="single")

    assert result.stdout.splitlines()[1].startswith("*  single")
    assert "*  tiny" not in result.stdout


def test_list_says_what_is_wrong_beside_what_is_right(run: Run, models: Path) -> None:
    (models / "tiny" / "current").write_bytes(b"damaged")
    (models / "single" / "1" / "manifest.json").unlink()

    result = run("list")

    _, single, tiny = result.stdout.splitlines()
    assert tiny.split(maxsplit=4)[1:] == ["tiny", "?", "1-3", "its current file is damaged"]
    assert "its manifest cannot be read: No such file or directory" in single
    assert result.exit_code == 0


def test_list_counts_a_candidate_among_the_versions_and_not_as_current(
    run: Run, models: Path
) -> None:
    opened = Store(models).open("tiny", 1)
    Store(models).publish("tiny", opened.manifest.description, opened.files, make_current=False)

    listed = run("list").stdout.splitlines()[2]
    verified = run("verify", "tiny").stdout

    assert listed.split()[1:4] == ["tiny", "3", "1-4"]
    assert "tiny/4: good" in verified
    assert "tiny/current: good" in verified


def test_list_joins_neighbouring_versions(run: Run, models: Path) -> None:
    for _ in range(3):
        publish(models, "tiny")
    for version in ("2", "5"):
        assert run("remove", f"tiny/{version}").exit_code == 0

    assert "1, 3-4, 6" in run("list").stdout


@pytest.mark.parametrize("command", ["list", "verify"])
def test_an_empty_folder_is_no_error_and_is_told(run: Run, models: Path, command: str) -> None:
    models.rename(models.with_name("elsewhere"))
    models.mkdir()

    result = run(command)

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("there are no models")
    assert f" in {models}" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [["list"], ["verify"], ["show", "tiny"], ["default", "tiny"], ["remove", "tiny/1"]],
    ids=" ".join,
)
def test_a_folder_that_is_not_there_is_an_error(
    run: Run, models: Path, arguments: list[str]
) -> None:
    models.rename(models.with_name("elsewhere"))

    result = run(*arguments)

    assert_refused(result, "the models folder cannot be read: No such file or directory")
    assert str(models) in result.stderr
    assert not models.exists()


@pytest.mark.parametrize(("which", "version"), [("tiny", 3), ("tiny/3", 3), ("tiny/1", 1)])
def test_show_prints_the_manifest_as_it_is_on_disk(
    run: Run, models: Path, which: str, version: int
) -> None:
    result = run("show", which)

    assert result.stdout == (models / "tiny" / str(version) / "manifest.json").read_text()
    assert json.loads(result.stdout)["version"] == version


def test_show_refuses_a_broken_version_by_name(run: Run, models: Path) -> None:
    (models / "tiny" / "2" / "manifest.json").write_bytes(b"{}")

    assert_refused(run("show", "tiny/2"), "tiny/2 is broken: its manifest cannot be read")


@pytest.mark.parametrize("which", ["tiny/9", "tiny/999999999"])
def test_show_of_a_version_that_does_not_exist_is_refused(run: Run, which: str) -> None:
    assert_refused(run("show", which), f"there is no version {which[5:]} of a model named 'tiny'")


@pytest.mark.parametrize("command", ["show", "verify", "default", "remove"])
@pytest.mark.parametrize(
    ("which", "says"),
    [
        pytest.param("tiny/", "'tiny/' is not NAME or NAME/VERSION", id="slash at the end"),
        pytest.param("tiny/1/", "is not NAME or NAME/VERSION", id="slash after the version"),
        pytest.param("tiny/0", "is not NAME or NAME/VERSION", id="version 0"),
        pytest.param("tiny/01", "is not NAME or NAME/VERSION", id="leading zero"),
        pytest.param("tiny/-1", "is not NAME or NAME/VERSION", id="negative version"),
        pytest.param("tiny/" + "9" * 5000, "is not NAME or NAME/VERSION", id="long version"),
        pytest.param("tiny/٣", "is not NAME or NAME/VERSION", id="other digits"),
        pytest.param("Tiny", "cannot be a model's name: use a to z", id="uppercase"),
        pytest.param("..", "'..' cannot be a model's name", id="parent"),
        pytest.param("../tiny", "is not NAME or NAME/VERSION", id="path"),
        pytest.param("/etc/passwd", "is not NAME or NAME/VERSION", id="absolute path"),
        pytest.param("", "'' cannot be a model's name", id="empty"),
        pytest.param("a" * 5000, "cannot be a model's name", id="5,000 characters"),
        pytest.param("a\nb", "cannot be a model's name", id="two lines"),
        pytest.param("\x1b[31m", "cannot be a model's name", id="terminal escape"),
        pytest.param("tinny", "no model named 'tinny': did you mean 'tiny'?", id="nearly"),
        pytest.param("zzz/1", "the known ones are 'single', 'tiny'", id="unknown"),
    ],
)
def test_a_name_that_is_none_is_refused_with_what_is_allowed(
    run: Run, command: str, which: str, says: str
) -> None:
    assert_refused(run(command, which), says)


def test_verify_looks_at_everything(run: Run) -> None:
    result = run("verify")

    assert result.stdout.splitlines() == [
        "single/1: good",
        "single/current: good",
        "tiny/1: good",
        "tiny/2: good",
        "tiny/3: good",
        "tiny/current: good",
    ]
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize(("runtime", "code"), [("auto", 1), ("pickle", 0)])
def test_verify_proves_a_model_by_what_would_serve_it(
    run: Run, models: Path, runtime: str, code: int
) -> None:
    numbers = linear_numbers(PLAIN, fitted(PLAIN))
    publish(models, "off", PLAIN, linear=numbers | {"intercept": numbers["intercept"] + 1})

    result = run("verify", "off/1", ORDINATE_RUNTIME=runtime)

    assert result.exit_code == code


def test_verify_looks_at_one_model_or_one_version(run: Run, models: Path) -> None:
    (models / "single" / "1" / "model.joblib").unlink()

    assert run("verify", "tiny").stdout.count("good") == 4
    assert run("verify", "tiny/2").stdout == "tiny/2: good\n"
    assert run("verify", "tiny").exit_code == 0


def test_verify_goes_on_after_what_is_broken_and_exits_with_1(run: Run, models: Path) -> None:
    (models / "single" / "1" / "model.joblib").unlink()
    (models / "tiny" / "current").write_bytes(Pointer(2, "0" * 64).to_bytes())
    (models / "tiny" / "1" / "more").touch()

    result = run("verify")

    assert result.stdout.splitlines() == [
        "single/1: its model.joblib cannot be read: No such file or directory",
        "single/current: its model.joblib cannot be read: No such file or directory",
        "tiny/1: its folder holds 'more', which its manifest does not list",
        "tiny/2: good",
        "tiny/3: good",
        "tiny/current: it names another manifest than the version has",
    ]
    assert result.exit_code == 1


def test_verify_of_a_version_that_does_not_exist_exits_with_1(run: Run) -> None:
    result = run("verify", "tiny/9")

    assert result.stdout == "tiny/9: there is no version 9 of a model named 'tiny'\n"
    assert result.exit_code == 1


@pytest.mark.parametrize("data", [None, b"nobody\n"], ids=["absent", "of no model"])
def test_verify_misses_a_default_among_several_models(
    run: Run, models: Path, data: bytes | None
) -> None:
    (models / "default").unlink()
    if data is not None:
        (models / "default").write_bytes(data)

    result = run("verify")

    assert result.stdout.startswith("default: it names no model that exists")
    assert result.exit_code == 1


def test_the_only_model_is_the_default_unless_another_is_named(run: Run, models: Path) -> None:
    shutil.rmtree(models / "tiny")

    named = run("list").stdout, run("verify")
    (models / "default").unlink()
    unnamed = run("list").stdout, run("verify")

    assert "*" not in named[0]
    assert named[1].stdout.startswith("default: it names no model that exists")
    assert named[1].exit_code == 1
    assert "*  single" in unnamed[0]
    assert unnamed[1].exit_code == 0


def test_default_chooses_what_answers(run: Run, models: Path) -> None:
    result = run("default", "single")

    assert result.stdout == "single is the default model\n"
    assert Reader(models).default() == "single"


def test_default_takes_no_version(run: Run, models: Path) -> None:
    assert_refused(run("default", "single/1"), "the default is a model, not one of its versions")
    assert Reader(models).default() == "tiny"


def test_remove_takes_an_old_version_away(run: Run, models: Path) -> None:
    result = run("remove", "tiny/1")

    assert result.stdout == "removed tiny/1; version 3 is current\n"
    assert Reader(models).versions("tiny") == [2, 3]


def test_remove_never_takes_the_current_version_without_force(run: Run, models: Path) -> None:
    assert_refused(run("remove", "tiny/3"), "version 3 of tiny is the current one")
    assert Reader(models).versions("tiny") == [1, 2, 3]

    assert run("remove", "tiny/3", "--force").stdout == "removed tiny/3; version 2 is current\n"


def test_remove_of_the_last_version_by_force_says_that_none_is_left(run: Run) -> None:
    assert run("remove", "single/1", "--force").stdout == "removed single/1; no version is left\n"
    assert "single" not in run("list").stdout


def test_remove_needs_a_version(run: Run) -> None:
    assert_refused(run("remove", "tiny"), "name the version to remove: tiny/VERSION")


@pytest.mark.parametrize("arguments", [["show"], ["remove"], ["default"], ["nothing"]], ids=repr)
def test_a_command_without_its_arguments_is_a_usage_error(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Usage: " in result.stderr


def test_help_names_every_command(run: Run) -> None:
    result = run("--help")

    for command in ("list", "show", "verify", "default", "remove", "sign"):
        assert f"  {command} " in result.stdout
