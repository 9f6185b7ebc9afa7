"""What the tests of unpickling share: a place where every payload would leave a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[str]:
    """A path at which every payload of these tests would make a file."""
    place = tmp_path / "canary"
    yield str(place)
    assert not place.exists()
