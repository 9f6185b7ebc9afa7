"""The image's health check: by the settings of the service, with TLS and without."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.certificates import Certificates
from tests.support.server import ROOT, Server


def run(*arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(ROOT / "healthcheck.py"), *map(str, arguments)],
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def check(*arguments: str | Path, **env: str) -> int:
    """Its exit code; 1 has its reason on one line, and 0 has none."""
    done = run(*arguments, **env)
    assert done.stdout == ""
    assert done.stderr.count("\n") == done.returncode, done.stderr
    return done.returncode


def test_a_service_that_answers_is_healthy(server: Server) -> None:
    assert check(PORT=str(server.port), HOST="0.0.0.0") == 0


def test_one_that_is_not_there_is_not(server: Server) -> None:
    assert check(PORT="1") == 1
    assert check(PORT=str(server.port), ORDINATE_TLS_CERT="x.pem") == 1


@pytest.mark.parametrize(
    ("setting", "value"), [("PORT", "abc"), ("PORT", "70000"), ("HOST", "a b"), ("HOST", "a" * 99)]
)
def test_a_wrong_setting_is_told_on_one_line(setting: str, value: str) -> None:
    done = run(**{setting: value})

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_a_service_without_models_is_healthy_and_not_ready(server: Server, tmp_path: Path) -> None:
    assert check("/readyz", PORT=str(server.port)) == 0
    with Server(tmp_path, ORDINATE_WORKERS="1") as empty:
        port = str(empty.port)
        assert check("/healthz", PORT=port) == 0
        assert run("/readyz", PORT=port).stderr == "/readyz: it answers 503\n"


def test_where_clients_need_a_certificate_readiness_is_asked_for_with_one(
    tmp_path: Path, linear_models: Path
) -> None:
    own = Certificates(tmp_path / "certs")
    probe = own.client("probe")
    settings = own.settings(CLIENT="required", CLIENT_CA=str(own.ca))
    tls = own.trusting(probe)
    with Server(linear_models, (), tls, ORDINATE_WORKERS="1", **settings) as server:
        env = settings | {"PORT": str(server.port)}
        assert check(**env) == 0
        assert check("/readyz", **env) == 1
        assert check("/readyz", probe.cert, probe.key, **env) == 0
        assert check("/readyz", tmp_path / "absent.pem", probe.key, **env) == 1


@pytest.mark.parametrize("client", ["off", "required"])
def test_so_it_is_with_tls_whoever_may_come_in(tmp_path: Path, client: str) -> None:
    own = Certificates(tmp_path / "certs")
    settings = own.settings()
    if client == "required":
        settings = own.settings(CLIENT=client, CLIENT_CA=str(own.ca))
    tls = own.trusting(own.client("probe"))
    with Server(tmp_path, (), tls, ORDINATE_WORKERS="1", **settings) as server:
        assert check(PORT=str(server.port), **settings) == 0
    assert check(PORT=str(server.port), **settings) == 1
