"""What becomes of the settings where another server runs the application, or ours elsewhere."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.certificates import Certificates
from tests.support.server import ROOT, Server

CONF = str(ROOT / "gunicorn.conf.py")
GUNICORN = ("gunicorn", "-b", "127.0.0.1:0", "--chdir", str(ROOT), "wsgi:app")
WAITRESS = ("waitress", "--listen=127.0.0.1:0", "wsgi:app")
FLASK = ("flask", "--app", "wsgi")


class Elsewhere(Server):
    """A gunicorn that was not started in the folder of its settings."""

    folder = Path("/")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certs"))


def run(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a module to its end."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ORDINATE_")}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env=clean | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (GUNICORN, 3),
        ((*GUNICORN, "--preload"), 3),
        (WAITRESS, 2),
        ((*FLASK, "run", "--port", "0"), 2),
    ],
    ids=["gunicorn", "gunicorn preloading", "waitress", "flask run"],
)
def test_a_server_that_would_speak_without_tls_does_not_start(
    arguments: tuple[str, ...], code: int, own: Certificates, tmp_path: Path
) -> None:
    folder = Path("/") if arguments[0] == "gunicorn" else ROOT
    settings = own.settings() | {"ORDINATE_MODELS": str(tmp_path)}

    # As a command of flask leaves it to what it starts.
    done = run(folder, *arguments, FLASK_RUN_FROM_CLI="true", **settings)

    assert done.returncode == code
    told = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(told) == 1
    assert told[0].startswith("error: ORDINATE_TLS_CERT is set, and the server that was started")
    assert "gunicorn --chdir FOLDER -c FOLDER/gunicorn.conf.py" in told[0]
    assert "Traceback" not in done.stderr


def test_commands_go_on_where_tls_is_asked_for(own: Certificates, tmp_path: Path) -> None:
    settings = own.settings() | {"ORDINATE_MODELS": str(tmp_path)}

    done = run(ROOT, *FLASK, "models", "list", **settings)

    assert (done.returncode, done.stdout) == (0, "")


def test_told_of_its_settings_gunicorn_keeps_to_them_from_anywhere(
    own: Certificates, tmp_path: Path
) -> None:
    arguments = ("--chdir", str(ROOT), "-c", CONF)
    with Elsewhere(tmp_path, arguments, own.trusting(), **own.settings()) as server:
        before = server.workers()
        server.process.send_signal(signal.SIGHUP)
        server.wait_for(
            lambda: len(server.workers()) == 2 and not set(before) & {*server.workers()}
        )

        assert server.get("/healthz") == '{"status":"ok"}'


def test_named_alone_the_settings_are_enough(tmp_path: Path) -> None:
    with Elsewhere(tmp_path, ("-c", CONF)) as server:
        assert server.get("/healthz") == '{"status":"ok"}'


def test_a_gunicorn_that_has_not_read_them_says_so(tmp_path: Path) -> None:
    arguments = ("-b", "127.0.0.1:0", "--chdir", str(ROOT))
    with Elsewhere(tmp_path, arguments, ORDINATE_MAX_ROW="5") as server:
        assert server.get("/healthz") == '{"status":"ok"}'

    warnings = [line for line in server.err if line.startswith("warning: ")]
    assert warnings[0].startswith("warning: gunicorn goes by its own settings, not by HOST or ")
    unknown = "ORDINATE_MAX_ROW is not a setting; did you mean ORDINATE_MAX_ROWS?"
    assert warnings[1:] == [f"warning: {unknown}"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(GUNICORN, 3), (WAITRESS, 2), ((*FLASK, "models", "list"), 2)],
    ids=["gunicorn", "waitress", "a command"],
)
def test_a_wrong_setting_ends_every_server_and_command_with_one_line(
    arguments: tuple[str, ...], code: int
) -> None:
    folder = Path("/") if arguments[0] == "gunicorn" else ROOT

    done = run(folder, *arguments, ORDINATE_MAX_ROWS="many")

    assert done.returncode == code
    told = [line for line in done.stderr.splitlines() if "ORDINATE_MAX_ROWS" in line]
    assert told == [
        'error: ORDINATE_MAX_ROWS is "many", allowed is a number of rows from 1 to 1000000000'
    ]
    assert "Traceback" not in done.stderr


def test_a_command_tells_of_an_unknown_setting(tmp_path: Path) -> None:
    models = str(tmp_path)

    done = run(ROOT, *FLASK, "models", "list", ORDINATE_MODELS=models, ORDINATE_MAX_ROW="5")

    assert done.stderr.splitlines()[0] == (
        "warning: ORDINATE_MAX_ROW is not a setting; did you mean ORDINATE_MAX_ROWS?"
    )
