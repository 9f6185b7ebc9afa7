"""What the tests of the registry share: a folder with two versions, and a registry over it."""

import shutil
from pathlib import Path

import pytest

from app.store import Keeper
from tests.support.models import publish
from tests.support.watched import Watched


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with versions 1 to 3 of `tiny`, to read from only."""
    root = tmp_path_factory.mktemp("stocked") / "models"
    for seed in (1, 2, 3):
        publish(root, seed=seed)
    return root


@pytest.fixture
def keeper(stocked: Path, tmp_path: Path) -> Keeper:
    """A copy of it, and who looks after it."""
    return Keeper(Path(shutil.copytree(stocked, tmp_path / "stocked")))


@pytest.fixture
def serving(keeper: Keeper) -> Watched:
    """A registry that serves version 3."""
    watched = Watched(keeper.root)
    watched.refresh()
    return watched


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with versions 1 and 2 of `tiny`."""
    root = tmp_path_factory.mktemp("template") / "models"
    publish(root, seed=1)
    publish(root, seed=2)
    return root


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    """A copy of it to write to."""
    return Path(shutil.copytree(template, tmp_path / "models"))


@pytest.fixture
def watched(root: Path) -> Watched:
    """A registry that serves version 2 of `tiny`."""
    watched = Watched(root)
    watched.refresh()
    return watched
