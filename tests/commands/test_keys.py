"""``flask keys signing``: a pair in one command, and the next steps with it."""

import re
import stat
from pathlib import Path

from tests.support.commands import flask
from tests.support.keys import signer


def test_a_pair_is_made_and_the_lines_that_follow_it_work(tmp_path: Path) -> None:
    done = flask("keys", "signing", "new", folder=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["signing.pem", "signing.pub"]
    assert stat.S_IMODE((tmp_path / "signing.pem").stat().st_mode) == 0o600
    assert "PRIVATE" not in done.stdout
    settings = dict(re.findall(r"(ORDINATE_\w+)=(\S+)", done.stdout))
    assert settings == {
        "ORDINATE_SIGNING_KEY": "signing.pem",
        "ORDINATE_TRUSTED_KEYS": "signing.pub",
        "ORDINATE_REQUIRE_SIGNATURE": "on",
    }

    listed = flask("keys", "signing", "list", folder=tmp_path, **settings)

    (key,) = re.findall(r"Its id is ([0-9a-f]{16})\.", done.stdout)
    assert listed.stdout == f"{key}  trusted\n{key}  signs\n"


def test_a_second_pair_of_the_same_name_is_refused_in_one_line(tmp_path: Path) -> None:
    signer(tmp_path, "mine")
    before = (tmp_path / "mine.pem").read_bytes()

    done = flask("keys", "signing", "new", "mine.pem", folder=tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith("Error: mine.pub exists already")
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "mine.pem").read_bytes() == before


def test_a_folder_that_cannot_be_written_to_is_told_in_one_line(tmp_path: Path) -> None:
    done = flask("keys", "signing", "new", "nowhere/mine.pem", folder=tmp_path)

    assert done.returncode == 1
    assert done.stderr == "Error: nowhere/mine.pem cannot be written: No such file or directory\n"


def test_signatures_that_are_required_without_keys_stop_every_command_with_one_line(
    tmp_path: Path,
) -> None:
    done = flask("models", "list", folder=tmp_path, ORDINATE_REQUIRE_SIGNATURE="on")

    assert done.returncode == 2
    assert done.stderr.startswith(
        "error: ORDINATE_REQUIRE_SIGNATURE is on without ORDINATE_TRUSTED_KEYS: name"
    )
    assert done.stderr.count("\n") == 1
