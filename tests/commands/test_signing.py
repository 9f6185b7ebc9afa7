"""What the admin tool says of signatures, and how it signs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from app.signing import Signer
from app.store import Reader
from tests.support.commands import invoked
from tests.support.keys import signer, trusting
from tests.support.models import SINGLE, publish

Run = Callable[..., Result]


@pytest.fixture
def mine(tmp_path: Path) -> Signer:
    return signer(tmp_path / "keys", "mine")


@pytest.fixture
def root(tmp_path: Path, mine: Signer) -> Path:
    """A models folder with `tiny`, of which version 2 alone is signed, and an unsigned `single`."""
    root = tmp_path / "models"
    publish(root, seed=1)
    publish(root, seed=2, keys=trusting(mine, signs=mine))
    publish(root, "single", SINGLE)
    return root


@pytest.fixture
def env(root: Path, tmp_path: Path) -> dict[str, str]:
    """The settings of who has the key and requires it."""
    return {
        "ORDINATE_MODELS": str(root),
        "ORDINATE_TRUSTED_KEYS": str(tmp_path / "keys"),
        "ORDINATE_SIGNING_KEY": str(tmp_path / "keys" / "mine.pem"),
        "ORDINATE_REQUIRE_SIGNATURE": "on",
    }


@pytest.fixture
def run(env: dict[str, str]) -> Run:
    """Runs ``flask models`` with these arguments in this process; None unsets a setting."""

    def invoke(*arguments: str, **changes: str) -> Result:
        return invoked(env | changes, "models", *arguments)

    return invoke


LENIENT = {"ORDINATE_REQUIRE_SIGNATURE": "off"}
KEYLESS = LENIENT | {"ORDINATE_TRUSTED_KEYS": "", "ORDINATE_SIGNING_KEY": ""}


def test_list_has_the_signature_of_what_is_current(run: Run, mine: Signer) -> None:
    header, single, tiny = run("list", **LENIENT).stdout.splitlines()

    assert header.split()[-1] == "SIGNATURE"
    assert single.endswith("LinearRegression  unsigned")
    assert tiny.endswith(f"LinearRegression  signed by {mine.key}")


def test_list_says_why_what_is_not_signed_is_refused(run: Run, mine: Signer) -> None:
    _, single, tiny = run("list").stdout.splitlines()

    assert "its current file is not signed, and this service requires it" in single
    assert tiny.endswith(f"signed by {mine.key}")


def test_show_tells_the_signature_beside_the_manifest(run: Run, root: Path, mine: Signer) -> None:
    result = run("show", "tiny")

    assert result.stdout == (root / "tiny" / "2" / "manifest.json").read_text()
    assert result.stderr == f"tiny/2 is signed by {mine.key}\n"
    assert run("show", "tiny/1", **LENIENT).stderr == "tiny/1 is unsigned\n"
    assert run("show", "tiny", **KEYLESS).stderr == f"tiny/2 is signed by {mine.key}, not checked\n"
    refused = run("show", "tiny/1")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: tiny/1 is broken: it is not signed")


def test_verify_tells_by_whom_each_thing_is_signed_or_why_it_is_refused(
    run: Run, mine: Signer
) -> None:
    lenient, strict = run("verify", **LENIENT), run("verify")

    assert lenient.stdout.splitlines() == [
        "single/1: good, unsigned",
        "single/current: good, unsigned",
        "tiny/1: good, unsigned",
        f"tiny/2: good, signed by {mine.key}",
        f"tiny/current: good, signed by {mine.key}",
    ]
    assert lenient.exit_code == 0
    assert strict.stdout.count("is not signed, and this service requires it") == 3
    assert strict.stdout.count(f"good, signed by {mine.key}") == 2
    assert strict.exit_code == 1


def test_sign_makes_what_was_published_before_acceptable(
    run: Run, root: Path, mine: Signer
) -> None:
    result = run("sign", "single")

    assert result.stdout.splitlines() == [
        f"single/1 is signed by {mine.key}",
        f"single/current is signed by {mine.key}",
    ]
    assert run("sign", "tiny/1").stdout == f"tiny/1 is signed by {mine.key}\n"
    assert run("verify").exit_code == 0
    assert Reader(root, trusting(mine)).current("single").version == 1


def test_remove_signs_what_becomes_current(run: Run, root: Path, mine: Signer) -> None:
    run("sign", "tiny/1")

    result = run("remove", "tiny/2", "--force")

    assert result.stdout == "removed tiny/2; version 1 is current\n"
    assert Reader(root, trusting(mine)).current("tiny").version == 1


@pytest.mark.parametrize(
    "arguments", [["remove", "tiny/2", "--force"], ["sign", "tiny"]], ids=" ".join
)
def test_what_has_to_sign_says_what_to_do_without_a_key(
    run: Run, root: Path, mine: Signer, arguments: list[str]
) -> None:
    run("sign", "tiny")
    before = (root / "tiny" / "current").read_bytes()

    result = run(*arguments, ORDINATE_SIGNING_KEY="")

    assert result.exit_code == 1
    assert "set ORDINATE_SIGNING_KEY to the file of a private key" in result.stderr
    assert result.stderr.count("\n") == 1
    assert (root / "tiny" / "current").read_bytes() == before
    assert Reader(root, trusting(mine)).versions("tiny") == [1, 2]


def test_sign_refuses_what_is_not_there(run: Run) -> None:
    assert "no version 9" in run("sign", "tiny/9").stderr
    assert "no model named 'nobody'" in run("sign", "nobody").stderr
