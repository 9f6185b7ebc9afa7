"""What tests share: small real models, the service over them, twice, and a folder to train in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import settings
from threadpoolctl import threadpool_limits

from app.cores import usable_cores
from app.store import Keeper
from tests.support.clients import client_of
from tests.support.models import HOSTILE, MIXED, PLAIN, SINGLE, publish
from tests.support.server import Server
from tests.training.retraining import Workshop

settings.register_profile("ordinate", derandomize=True, deadline=None, database=None)
settings.register_profile("soak", max_examples=5000, deadline=None, database=None)
settings.load_profile("ordinate")  # --hypothesis-profile=soak takes the other

MAX_BODY_BYTES = 1 << 20
MAX_ROWS = 1000
LIMITS = {"ORDINATE_MAX_BODY_BYTES": str(MAX_BODY_BYTES), "ORDINATE_MAX_ROWS": str(MAX_ROWS)}
"""Smaller than the defaults, so that going over them is cheap."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: many a test waits for a service, or for its timers."""
    return usable_cores() + 1


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Compute with one thread: those of several processes would wait for each other in loops."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Workshop:
    """A folder in which nothing was trained yet."""
    return Workshop(tmp_path, capsys)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder: `tiny`, the default, in two versions, `mixed`, `single` and `hostile`.

    `tiny` is pickled in its first version, which is labelled `proven`, and by plain numbers in its
    second, as `mixed` is.
    """
    root = tmp_path_factory.mktemp("store") / "models"
    publish(root, "tiny", PLAIN, seed=1)
    publish(root, "tiny", PLAIN, seed=2, linear=True)
    Keeper(root).set_label("tiny", "proven", 1)
    publish(root, "mixed", MIXED, linear=True)
    publish(root, "single", SINGLE)
    publish(root, "hostile", HOSTILE)
    return root


@pytest.fixture(scope="session")
def linear_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder: `tiny` by plain numbers, for which no worker has to load scikit-learn."""
    root = tmp_path_factory.mktemp("store") / "models"
    publish(root, linear=True)
    return root


@pytest.fixture(scope="session")
def client(models: Path) -> FlaskClient:
    """The service over these models in this process, without a server."""
    return client_of(models, **LIMITS)


@pytest.fixture(scope="session")
def server(models: Path) -> Iterator[Server]:
    """The same behind a real gunicorn; one for all tests that leave it as they found it."""
    with Server(models, **LIMITS) as running:
        yield running
