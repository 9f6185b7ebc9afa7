"""Sealing: X25519, HKDF-SHA256 and ChaCha20-Poly1305, for whom the private key belongs to.

::

    file    = header, frame, frame, ..., the frame that ends it
    header  = MAGIC, id of the recipient's key (8 bytes), an ephemeral public key (32)
    frame   = sealed head (21), sealed content (its length and 16)
    head    = kind (1 byte), length of the content (4 bytes, big-endian)

The first chain key is derived from the ephemeral key and the recipient's, with the whole header as
its salt. Each frame has a key of its own, and so does the next link of the chain: both are HMACs of
the chain key, which is then forgotten. So a frame cannot be moved, repeated or left out unnoticed,
no nonce is ever used twice, and who takes over a process cannot read what it wrote before.
"""

import hmac
import struct
from typing import Any

from app.journal.keys import ID_BYTES, PublicKey, key_id

MAGIC = b"ordinate predictions 1\n"
RECORDS, END = 0, 1
"""Kinds of frames."""

_RAW_BYTES = 32
_TAG_BYTES = 16
HEADER_BYTES = len(MAGIC) + ID_BYTES + _RAW_BYTES

_HEAD = struct.Struct(">BI")
HEAD_BYTES = _HEAD.size + _TAG_BYTES

_FOR_HEAD, _FOR_CONTENT = bytes(12), bytes(11) + b"\x01"  # nonces: a key seals one of each


class NotSealed(Exception):
    """These bytes are not what was sealed here."""


class Chain:
    """The keys of one file, one frame after the other."""

    def __init__(self, key: bytes) -> None:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - see app.journal.keys
        from cryptography.hazmat.primitives.ciphers.aead import (  # noqa: PLC0415 - same
            ChaCha20Poly1305,
        )

        self._key = key
        self._cipher, self._invalid = ChaCha20Poly1305, InvalidTag
        self._frame: Any = None

    def seal(self, kind: int, content: bytes) -> bytes:
        """The next frame."""
        self._step()
        head = self._frame.encrypt(_FOR_HEAD, _HEAD.pack(kind, len(content)), None)
        return bytes(head + self._frame.encrypt(_FOR_CONTENT, content, None))

    def open_head(self, head: bytes) -> tuple[int, int]:
        """The kind of the next frame, and how many bytes follow its head. Raises NotSealed."""
        self._step()
        kind, length = _HEAD.unpack(self._open(_FOR_HEAD, head))
        return kind, length + _TAG_BYTES

    def open_content(self, sealed: bytes) -> bytes:
        """The content of the frame whose head was opened last. Raises NotSealed."""
        return self._open(_FOR_CONTENT, sealed)

    def _open(self, nonce: bytes, sealed: bytes) -> bytes:
        try:
            return bytes(self._frame.decrypt(nonce, sealed, None))
        except self._invalid:
            raise NotSealed from None

    def _step(self) -> None:
        self._frame = self._cipher(hmac.digest(self._key, b"frame", "sha256"))
        self._key = hmac.digest(self._key, b"next", "sha256")


def begin(public: PublicKey) -> tuple[bytes, Chain]:
    """The header of a new file for a recipient, and the chain that seals what follows."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import (  # noqa: PLC0415 - see keys
        X25519PrivateKey,
    )

    ephemeral = X25519PrivateKey.generate()
    header = MAGIC + key_id(public) + ephemeral.public_key().public_bytes_raw()
    return header, _chain(ephemeral, public, header)


def resume(private: Any, header: bytes) -> Chain:
    """The chain that opens what follows a header. Raises NotSealed, saying why."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import (  # noqa: PLC0415 - see keys
        X25519PublicKey,
    )

    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        raise NotSealed("it does not begin as a file of the prediction log does")
    rest = header.removeprefix(MAGIC)
    wanted, own = rest[:ID_BYTES], key_id(private.public_key())
    if wanted != own:
        raise NotSealed(f"it was sealed for the key {wanted.hex()}, and this is {own.hex()}")
    try:
        return _chain(private, X25519PublicKey.from_public_bytes(rest[ID_BYTES:]), header)
    except ValueError:  # a point that no honest writer picks
        raise NotSealed("its header is damaged") from None


def _chain(private: Any, public: Any, header: bytes) -> Chain:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - see app.journal.keys
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415 - same

    derive = HKDF(algorithm=SHA256(), length=32, salt=header, info=b"ordinate prediction log")
    return Chain(derive.derive(private.exchange(public)))
