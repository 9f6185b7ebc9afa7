"""Small files of JSON with the SHA-256 of their own content, so that a flipped bit is seen."""

from collections.abc import Mapping
from typing import Any

import orjson

from app.errors import BrokenModel
from app.manifest import seal_of

MAX_SEALED_BYTES = 4096

_WRITTEN = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def sealed(content: Mapping[str, Any]) -> bytes:
    """This content with its seal, as written to disk."""
    return orjson.dumps({**content, "sha256": seal_of(content)}, option=_WRITTEN)


def unsealed(data: bytes, what: str) -> dict[str, Any]:
    """Read what `sealed` wrote. Raises BrokenModel, which calls it `what`, for anything else."""
    try:
        content: dict[str, Any] = orjson.loads(data)
        del content["sha256"]
        # Compared byte for byte: what parses alike but is written otherwise was tampered with.
        intact = sealed(content) == data
    except (ValueError, TypeError, KeyError) as error:
        raise BrokenModel(f"{what} is damaged") from error
    if not intact:
        raise BrokenModel(f"{what} is damaged")
    return content
