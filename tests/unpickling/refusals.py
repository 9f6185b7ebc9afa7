"""What a refusal looks like."""

import pytest

from app.errors import BrokenModel
from app.unpickling import unpickled


def assert_refused(data: bytes, says: str = ".") -> None:
    """Not loaded, and said in one line why."""
    with pytest.raises(BrokenModel, match=says) as caught:
        unpickled(data)

    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300
