"""A service that speaks TLS, and who may reach it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import Certificates
from tests.support.server import Server

TIMEOUT = "2"


def noise(server: Server) -> str:
    """What a service has said that nothing went wrong for does not say."""
    return "\n".join(line for line in server.err if '"level":"info"' not in line)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Those of a service; not to be changed."""
    return Certificates(tmp_path_factory.mktemp("certs"))


@pytest.fixture(scope="session")
def encrypted(certificates: Certificates, linear_models: Path) -> Iterator[Server]:
    """One worker that speaks TLS; one for all tests that leave it as they found it.

    At its end all that it has said must be what a service says that nothing went wrong for.
    """
    with Server(
        linear_models,
        (),
        certificates.trusting(),
        ORDINATE_WORKERS="1",
        ORDINATE_REQUEST_TIMEOUT=TIMEOUT,
        **certificates.settings(),
    ) as running:
        yield running
    assert running.process.returncode == 0
    assert noise(running) == ""
