"""What the tests of the store share: folders to start from, and a process that publishes."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.store.processes import Publisher
from tests.support.models import publish

Copy = Callable[[str], Path]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with version 1 of `tiny`, to read from only."""
    root = tmp_path_factory.mktemp("template") / "models"
    publish(root)
    return root


@pytest.fixture
def copy(template: Path, tmp_path: Path) -> Copy:
    """Makes a copy of the template to write to, under the name given."""

    def make(name: str = "models") -> Path:
        return Path(shutil.copytree(template, tmp_path / name))

    return make


@pytest.fixture
def root(copy: Copy) -> Path:
    """A models folder of one's own with version 1 of `tiny`."""
    return copy("models")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder outside of the models folder."""
    place = tmp_path / "outside"
    place.mkdir()
    return place


@pytest.fixture
def quick_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one, for what writes to disk a thousand times."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def publisher() -> Iterator[Publisher]:
    """A process that publishes to order."""
    with Publisher() as process:
        yield process
