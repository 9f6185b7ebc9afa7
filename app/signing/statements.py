"""What is signed, and the signatures of it as they stand in files."""

import re
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from app.errors import BrokenModel

_OF_VERSION, _OF_CURRENT = b"ordinate version 1\n", b"ordinate current 1\n"
_KEY = re.compile(r"[0-9a-f]{16}")
_VALUE = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Signature:
    """The id of the key that signed, and what it made of the statement, both in hex."""

    key: str
    value: str

    def to_json(self) -> dict[str, str]:
        """As part of a file."""
        return {"key": self.key, "signature": self.value}

    @classmethod
    def from_json(cls, content: Any) -> "Signature":
        """Read what `to_json` wrote. Raises ValueError, TypeError or KeyError on anything else."""
        signature = cls(content["key"], content["signature"])
        if not _KEY.fullmatch(signature.key) or not _VALUE.fullmatch(signature.value):
            raise ValueError("no signature")
        return signature

    def to_bytes(self) -> bytes:
        """As a file of its own."""
        return orjson.dumps(self.to_json(), option=orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Signature":
        """Read what `to_bytes` wrote. Raises BrokenModel on anything else."""
        try:
            signature = cls.from_json(orjson.loads(data))
            intact = signature.to_bytes() == data
        except (ValueError, TypeError, KeyError) as error:
            raise BrokenModel("its signature file is damaged") from error
        if not intact:
            raise BrokenModel("its signature file is damaged")
        return signature


State = Literal["unsigned", "verified", "unknown key", "not checked"]


@dataclass(frozen=True, slots=True)
class Signed:
    """What is known of a signature that was not refused, and the id of its key."""

    state: State = "unsigned"
    key: str | None = None

    def __str__(self) -> str:
        if self.key is None:
            return "unsigned"
        more = {"unknown key": ", which is not trusted", "not checked": ", not checked"}
        return f"signed by {self.key}{more.get(self.state, '')}"


UNSIGNED = Signed()


def about_version(name: str, version: int, manifest_sha256: str) -> bytes:
    """The statement that this is the version's manifest."""
    return _OF_VERSION + orjson.dumps([name, version, manifest_sha256])


def about_current(name: str, version: int, manifest_sha256: str, sequence: int) -> bytes:
    """The statement that this version is current, after those with lower sequences."""
    return _OF_CURRENT + orjson.dumps([name, version, manifest_sha256, sequence])
