"""The admin tool's commands for versions: what they say, what they do, and what they refuse."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from app.manifest import Golden
from app.store import Keeper, Label
from tests.support.commands import assert_refused, flask, invoked
from tests.support.models import PLAIN, SINGLE, publish

ROOT = Path(__file__).resolve().parents[2]

Run = Callable[..., Result]

BAD = Golden(((1.0, 2.0, 0.5),), (1e9,))
"""Golden rows that no model of the tests reproduces: a version with them is refused."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with versions 1 to 4 of `tiny`, of which 3 is current, and `single`."""
    root = tmp_path_factory.mktemp("template") / "models"
    for seed in (1, 2, 3):
        publish(root, "tiny", PLAIN, seed)
    publish(root, "tiny", PLAIN, golden=BAD)
    publish(root, "single", SINGLE)
    Keeper(root).rollback("tiny")
    return root


@pytest.fixture
def keeper(template: Path, tmp_path: Path) -> Keeper:
    """A copy of it to write to."""
    return Keeper(Path(shutil.copytree(template, tmp_path / "models")))


@pytest.fixture
def run(keeper: Keeper) -> Run:
    """Runs ``flask models`` with these arguments in this process."""

    def invoke(*arguments: str, **env: str) -> Result:
        return invoked({"ORDINATE_MODELS": str(keeper.root), **env}, "models", *arguments)

    return invoke


def test_the_real_program_activates_and_rolls_back(keeper: Keeper) -> None:
    said = []
    for arguments in (["activate", "tiny/1"], ["rollback", "tiny"]):
        done = flask("models", *arguments, ORDINATE_MODELS=str(keeper.root))
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)

    assert said == [
        "version 1 of tiny is current; before it was 3\n",
        "version 3 of tiny is current; it was 1\n",
    ]
    assert keeper.current("tiny").version == 3


def test_activate_refuses_a_version_that_does_not_prove_itself(run: Run, keeper: Keeper) -> None:
    assert_refused(run("activate", "tiny/4"), "tiny/4 would be refused: its answers differ from")
    assert keeper.current("tiny").version == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["activate", "tiny"], "name the version as well: tiny/VERSION"),
        (["activate", "tiny/9"], "there is no version 9 of a model named 'tiny'"),
        (["rollback", "tiny/2"], "name the model alone, without a version: tiny"),
        (["rollback", "nobody"], "there is no model named 'nobody'"),
        (["rollback", "single"], "single cannot be rolled back: no other version was current"),
        (["label", "tiny", "canary"], "say which version the label is to stand for, or --remove"),
        (["label", "tiny", "canary", "1", "--remove"], "or --remove, not both"),
        (["label", "tiny", "canary", "9"], "there is no version 9 of a model named 'tiny'"),
        (["label", "tiny", "canary", "4"], "tiny/4 would be refused: its answers differ"),
        (["label", "tiny", "a b", "1"], "'a b' cannot be a label: use a to z"),
        (["label", "tiny", "canary", "--remove"], "tiny has no label 'canary'"),
        (["prune", "tiny"], "say how many versions to keep: --keep N, or ORDINATE_KEEP_VERSIONS"),
        (["verify", "tiny/1", "--repair"], "a version never changes, so it cannot be repaired"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_refused_with_one_line(
    run: Run, keeper: Keeper, arguments: list[str], says: str
) -> None:
    assert_refused(run(*arguments), says)
    assert keeper.current("tiny").version == 3
    assert keeper.labels("tiny") == {}


def test_rollback_never_returns_to_what_the_service_would_refuse(run: Run, keeper: Keeper) -> None:
    keeper.activate("tiny", 4)
    keeper.activate("tiny", 2)

    assert_refused(run("rollback", "tiny"), "tiny/4 would be refused")
    assert keeper.current("tiny").version == 2


def test_label_sets_moves_lists_and_removes(run: Run) -> None:
    said = [
        run("label", "tiny", "canary", "1").stdout,
        run("label", "tiny", "canary", "2").stdout,
        run("label", "single", "proven", "1").stdout,
        run("labels").stdout,
        run("labels", "single").stdout,
        run("label", "tiny", "canary", "--remove").stdout,
        run("labels", "tiny").stdout,
    ]

    assert said == [
        "canary stands for version 1 of tiny\n",
        "canary stands for version 2 of tiny; before it was 1\n",
        "proven stands for version 1 of single\n",
        "single  proven  1\ntiny  canary  2\n",
        "single  proven  1\n",
        "canary stands for no version of tiny any more\n",
        "",
    ]


def test_prune_says_what_it_removed(run: Run, keeper: Keeper) -> None:
    keeper.set_label("tiny", "proven", 1)
    publish(keeper.root)

    assert run("prune", "tiny", "--keep", "1").stdout == "tiny: removed 2, 4\n"
    assert run("prune", "--keep", "1").stdout == "single: removed nothing\ntiny: removed nothing\n"
    assert keeper.versions("tiny") == [1, 3, 5]


def test_prune_keeps_by_default_what_the_setting_says(run: Run, keeper: Keeper) -> None:
    assert run("prune", "tiny", ORDINATE_KEEP_VERSIONS="3").stdout == "tiny: removed 1\n"
    assert keeper.versions("tiny") == [2, 3, 4]


def test_verify_looks_at_labels_and_history_too(run: Run, keeper: Keeper) -> None:
    for label in ("canary", "proven", "shadow"):
        keeper.set_label("tiny", label, 1)
    (keeper.root / "tiny" / "label-proven").write_bytes(b"damaged")
    stranger = Label("shadow", 2, "0" * 64).to_bytes()
    (keeper.root / "tiny" / "label-shadow").write_bytes(stranger)
    (keeper.root / "tiny" / "history").write_bytes(b"damaged")

    result = run("verify", "tiny")

    remedy = "activate the version that is to answer, which begins it anew"
    assert result.stdout.splitlines()[4:] == [
        "tiny/current: good",
        "tiny/canary: good",
        "tiny/proven: the file of its label proven is damaged",
        "tiny/shadow: it names another manifest than the version has",
        f"tiny/history: the file of its history is damaged: {remedy}",
    ]
    assert result.exit_code == 1


def test_verify_repair_clears_what_it_can_explain_and_says_so(run: Run, keeper: Keeper) -> None:
    keeper.set_label("tiny", "proven", 1)
    shutil.rmtree(keeper.root / "tiny" / "1")
    (keeper.root / "tiny" / ".tmp-1").write_bytes(b"half")
    (keeper.root / "tiny" / "3" / "model.joblib").write_bytes(b"damaged")

    result = run("verify", "tiny", "--repair")

    assert result.stdout.splitlines()[:2] == [
        "repaired: removed tiny/.tmp-1, left by a writer that died",
        "repaired: removed the label proven of tiny: there is no tiny/1",
    ]
    assert "tiny/3: its model.joblib does not match" in result.stdout
    assert result.exit_code == 1
    assert (keeper.root / "tiny" / "3" / "model.joblib").read_bytes() == b"damaged"
    assert "repaired" not in run("verify", "tiny", "--repair").stdout


def test_help_names_every_command(run: Run) -> None:
    result = run("--help")

    for command in ("activate", "label", "labels", "prune", "rollback"):
        assert f"  {command} " in result.stdout
