"""The image's health check: by the settings of the service, with TLS and without."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.certificates import Certificates
from tests.support.server import ROOT, Server


def check(**env: str) -> int:
    """Its exit code."""
    return subprocess.run(
        [sys.executable, "-I", str(ROOT / "healthcheck.py")], env=env, timeout=30, check=False
    ).returncode


def test_a_service_that_answers_is_healthy(server: Server) -> None:
    assert check(PORT=str(server.port), HOST="0.0.0.0") == 0


def test_one_that_is_not_there_is_not(server: Server) -> None:
    assert check(PORT="1") == 1
    assert check(PORT=str(server.port), ORDINATE_TLS_CERT="x.pem") == 1


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
