"""The name in a client's certificate."""

import re
from collections.abc import Mapping
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


def certified(peer: Mapping[str, Any] | None) -> str | None:
    """The common name of the subject of a verified certificate.

    Args:
        peer: the certificate as `ssl` decodes it; empty or None where none was shown or verified.

    Returns:
        The name; None where there is none, more than one, or one with other characters than
        letters, digits, dots, hyphens and underscores.
    """
    if not peer:
        return None
    names = [
        value for part in peer.get("subject", ()) for kind, value in part if kind == "commonName"
    ]
    return names[0] if len(names) == 1 and _NAME.fullmatch(names[0]) else None
