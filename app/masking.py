"""Keys and tokens, taken out of text before anybody reads it: of logs, errors and answers.

What looks like one is masked wherever it came from: people paste keys into addresses, names and
values. What was cut off behind its beginning is recognised as well.
"""

import re

PREFIX = "ordk_"
"""What every API key begins with."""

MASK = "(masked)"

# An address may have the underscore in another form. A JSON web token begins with the base64url of
# `{"` or `{ "`, its parts are joined by dots. The length keeps ordinary identifiers out; a part of
# a token that is shorter tells nothing.
_KEY = PREFIX.replace("_", "(?:_|%5[Ff])") + "[0-9A-Za-z]*"
_TEXT = re.compile(rf"{_KEY}|ey(?:J|Ai)[0-9A-Za-z_-]{{13,}}(?:\.[0-9A-Za-z_-]*)*")
_BYTES = re.compile(_TEXT.pattern.encode())
_MASK_BYTES = MASK.encode()


def mask(text: str) -> str:
    """The text without anything that looks like a key or a token."""
    return _TEXT.sub(MASK, text)


def mask_bytes(data: bytes) -> bytes:
    """The same for text in any encoding that contains ASCII, such as JSON."""
    return _BYTES.sub(_MASK_BYTES, data)


def holds_secret(text: str) -> bool:
    """Whether anything in it looks like a key or a token."""
    return _TEXT.search(text) is not None
