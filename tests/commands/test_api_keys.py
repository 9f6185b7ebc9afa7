"""``flask keys new|list|revoke|rotate``: a key is shown once, and its life is one line a step."""

import os
import re
import stat
from pathlib import Path

import pytest
from click.testing import Result

from app.security import KeyFile
from tests.support.api_keys import bearer, made, name_of, ring
from tests.support.commands import flask, invoked
from tests.support.users import ADMINISTRATOR, GROUP, SERVICE, needs_root, run_as, shared_folder

KEY = re.compile(r"ordk_[0-9A-Za-z]{46}\n")


def run(folder: Path, *arguments: str) -> Result:
    """The same commands without a process of their own."""
    env = {"ORDINATE_KEYS": str(folder / "keys.json"), "ORDINATE_MODELS": str(folder / "models")}
    return invoked(env, *arguments)


def test_a_new_key_stands_alone_on_standard_output(tmp_path: Path) -> None:
    done = flask(
        *("keys", "new", "--scope", "predict", "--name", "web", "--model", "tiny"),
        *("--expires", "2"),
        folder=tmp_path,
        ORDINATE_KEYS="secret.json",
    )

    assert done.returncode == 0
    assert KEY.fullmatch(done.stdout)
    key = done.stdout.strip()
    assert key not in done.stderr
    assert "made the key 'web', id " in done.stderr
    assert "ORDINATE_AUTH=on" in done.stderr
    path = tmp_path / "secret.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert name_of(ring(path), bearer(key)) == "web"
    (record,) = KeyFile(path).read()
    assert record.caller.models == frozenset({"tiny"})
    assert record.expires == record.created + 2 * 86400


def test_the_list_shows_all_but_the_keys(tmp_path: Path) -> None:
    key = made(tmp_path / "keys.json", "web", models=frozenset({"b", "a"}))
    assert name_of(ring(tmp_path / "keys.json"), bearer(key)) == "web"
    run(tmp_path, "keys", "new", "--scope", "admin", "--scope", "predict", "--name", "ops")

    done = run(tmp_path, "keys", "list")

    shown = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "(time)", done.stdout)
    head, *rows = [re.split(r"  +", line) for line in shown.splitlines()]
    assert head == ["NAME", "ID", "SCOPES", "MODELS", "CREATED", "EXPIRES", "LAST USED"]
    assert [row[:1] + row[2:] for row in rows] == [
        ["ops", "admin,predict", "all", "(time)", "never", "never"],
        ["web", "predict", "a,b", "(time)", "never", "never"],
    ]
    assert key[13:] not in done.stdout


def test_a_use_that_cannot_be_read_is_unknown_rather_than_never(tmp_path: Path) -> None:
    made(tmp_path / "keys.json", "web")
    (tmp_path / "keys.json.used").mkdir()  # which not even root can read as a file

    done = run(tmp_path, "keys", "list")

    assert done.exit_code == 0
    assert done.stdout.splitlines()[1].split()[-1] == "unknown"
    assert done.stderr.startswith(f"{tmp_path / 'keys.json.used'} cannot be read: ")


def test_without_keys_the_list_says_how_to_make_one(tmp_path: Path) -> None:
    done = run(tmp_path, "keys", "list")

    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "there are no keys: make one with `flask --app wsgi keys new`\n"


def test_a_key_is_rotated_and_revoked(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    old = made(path, "web")

    rotated = run(tmp_path, "keys", "rotate", "web", "--grace", "24")

    assert KEY.fullmatch(rotated.stdout)
    assert "the old one ends in 24 hours" in rotated.stderr
    keys = ring(path)
    assert [name_of(keys, bearer(each)) for each in (old, rotated.stdout.strip())] == ["web"] * 2

    revoked = run(tmp_path, "keys", "revoke", old[5:13])

    assert revoked.stdout == f"revoked web, id {old[5:13]}\n"
    assert [name_of(keys, bearer(each)) for each in (old, rotated.stdout.strip())] == [None, "web"]


@needs_root
def test_who_cannot_leave_the_file_to_the_service_is_told_who_can() -> None:
    start = """
from app import create_app
from app.config import Config
env = {"ORDINATE_KEYS": sys.argv[1], "ORDINATE_MODELS": sys.argv[1] + ".models"}
runner = create_app(Config.from_env(env), load=False).test_cli_runner()
runner.invoke(args=("keys", "list"))
"""
    revoke = """
done = runner.invoke(args=("keys", "revoke", "web"))
print(done.exit_code, done.output)
"""
    with shared_folder(0o777) as folder:
        path = folder / "keys.json"
        made(path, "web")
        os.chown(path, SERVICE, GROUP)
        path.chmod(0o664)

        done = run_as(ADMINISTRATOR, (), f"import sys{start}", revoke, path)

    assert done.stdout.splitlines()[0] == (
        f"1 Error: {path} cannot be written: its owner {SERVICE} and group {GROUP} cannot be kept, "
        "and the service might not read it any more; it is as it was, do this as root or as user "
        f"{SERVICE}"
    ), done.stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("new", "--name", "a"), "Missing option '--scope'"),
        (("new", "--scope", "predict"), "Missing option '--name'"),
        (("new", "--name", "a", "--scope", "root"), "'root' is not one of 'predict', 'admin'"),
        (("new", "--name", "a\nb", "--scope", "predict"), "is no name for a key"),
        (("new", "--name", "a", "--scope", "admin", "--model", "m"), "leave out one of both"),
        (("new", "--name", "a", "--scope", "predict", "--model", "../m"), "is no name of a model"),
        (("new", "--name", "a", "--scope", "predict", "--expires", "0"), "0 is not in the range"),
        (("rotate", "a"), "there is no key with the name or id 'a': there are none"),
        (("revoke", "a"), "there is no key with the name or id 'a': there are none"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    arguments: tuple[str, ...], problem: str, tmp_path: Path
) -> None:
    done = run(tmp_path, "keys", *arguments)

    assert done.exit_code != 0
    assert problem in done.stderr
    assert isinstance(done.exception, SystemExit)
    assert not list(tmp_path.iterdir())
