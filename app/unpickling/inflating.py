"""Compressed files, inflated up to a limit and never beyond."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

from app.errors import BrokenModel

PIECE = 1 << 20


class Inflater(Protocol):
    """What the compressors of the standard library have in common."""

    @property
    def eof(self) -> bool:
        """Whether the end of the compressed stream was reached."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """At most `max_length` bytes more."""


class _Zlib:
    """zlib's inflater in the form of the two others, which keep their unread input themselves."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)  # zlib and gzip headers

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._inflater.decompress(self._inflater.unconsumed_tail + data, max_length)


_XZ_MEMORY = 1 << 28

_INFLATERS: Mapping[bytes, Callable[[], Inflater]] = {
    b"\x78": _Zlib,
    b"\x1f\x8b": _Zlib,
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ": lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY),
    b"\x5d\x00": lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY),
}
"""By the first bytes of a file; a pickle that is not compressed begins with 0x80."""


def inflated(data: bytes, limit: int) -> bytes:
    """The data themselves, or what they inflate to.

    Raises:
        BrokenModel: they would be more than `limit` bytes, or end before their end.
        Exception: of the compressor, where they are damaged.
    """
    make = next((make for head, make in _INFLATERS.items() if data.startswith(head)), None)
    if make is None:
        if len(data) > limit:
            raise _too_large(limit)
        return data
    inflater, pieces, total = make(), [], 0
    while not inflater.eof:
        piece = inflater.decompress(data, min(PIECE, limit - total + 1))
        if not piece and not data and not inflater.eof:
            raise BrokenModel("it ends too early")
        data = b""
        pieces.append(piece)
        total += len(piece)
        if total > limit:
            raise _too_large(limit)
    return b"".join(pieces)


def _too_large(limit: int) -> BrokenModel:
    return BrokenModel(f"it has more than {limit} bytes when it is unpacked")
