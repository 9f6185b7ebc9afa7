"""API keys as text: made at random, recognised at sight, kept as digests.

::

    ordk_ 3fVq0bTz 8kJ...32 characters...Qx 0a9BcD
    what  id       secret, 190 bits          CRC-32 of all before it

All of it is letters, digits and one underscore, so that a double click selects it. The checksum is
no secret: it tells a mistyped key from a wrong one without a look at any file.
"""

import hashlib
import re
import secrets
import zlib
from typing import NamedTuple

from app.masking import PREFIX

ID_LENGTH, SECRET_LENGTH, CHECK_LENGTH = 8, 32, 6
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_BASE = len(DIGITS)
_VALUES = {digit: value for value, digit in enumerate(DIGITS)}
_ID_END = len(PREFIX) + ID_LENGTH
_CHECKED = _ID_END + SECRET_LENGTH
_KEY = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{ID_LENGTH + SECRET_LENGTH + CHECK_LENGTH}}}")


class NewKey(NamedTuple):
    """A key that was just made.

    Attributes:
        id: by which its record is found; no secret.
        text: the key itself, to be shown once and kept nowhere.
        digest: what is kept of it.
    """

    id: str
    text: str
    digest: bytes


def new_key() -> NewKey:
    """Make a key from the system's randomness."""
    found, secret = _random(ID_LENGTH), _random(SECRET_LENGTH)
    text = with_checksum(f"{PREFIX}{found}{secret}")
    return NewKey(found, text, digest_of(text))


def with_checksum(text: str) -> str:
    """The beginning of a key with the checksum that belongs to it."""
    number, digits = zlib.crc32(text.encode("ascii")), ""
    for _ in range(CHECK_LENGTH):
        number, digit = divmod(number, _BASE)
        digits = DIGITS[digit] + digits
    return text + digits


def id_of(text: str) -> str | None:
    """The id in a key; None for what is no key, as its form or its checksum says."""
    if not _KEY.fullmatch(text):
        return None
    number = 0
    for digit in text[_CHECKED:]:
        number = number * _BASE + _VALUES[digit]
    same = number == zlib.crc32(text[:_CHECKED].encode("ascii"))
    return text[len(PREFIX) : _ID_END] if same else None


def digest_of(text: str) -> bytes:
    """What is kept of a key: its SHA-256, 32 bytes.

    A slow hash with a salt protects passwords, which people choose. Nobody can guess 190 random
    bits, nor make a table of them, and a slow hash would be asked anew for every request.
    """
    return hashlib.sha256(text.encode("ascii")).digest()


def _random(count: int) -> str:
    return "".join(secrets.choice(DIGITS) for _ in range(count))
