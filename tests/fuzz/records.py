"""Small files of the store: read back as they were written, or refused as damaged."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from app.errors import BrokenModel
from app.manifest import Digest, Manifest
from app.signing import Signature
from app.store.pointer import Pointer
from app.store.sealed import sealed, unsealed
from tests.support.models import HOSTILE, MIXED, PLAIN, SINGLE, described, fitted, linear_numbers

_KEY, _VALUE = "0123456789abcdef", "0f" * 64
_READERS: dict[str, Callable[[bytes], bytes]] = {
    "manifest": lambda data: Manifest.from_bytes(data).to_bytes(),
    "pointer": lambda data: Pointer.from_bytes(data).to_bytes(),
    "signature": lambda data: Signature.from_bytes(data).to_bytes(),
    "sealed": lambda data: sealed(unsealed(data, "it")),
}


def seeds() -> Iterator[bytes]:
    """One of each kind and form."""
    for schema in (PLAIN, MIXED, SINGLE, HOSTILE):
        model = fitted(schema)
        made = described(schema, model)
        files = {"model.joblib": Digest.of(b"x")}
        yield Manifest("tiny", 1, "2026-01-01T00:00:00Z", made, files).to_bytes()
        linear = replace(made, linear=linear_numbers(schema, model), promotion={"decision": "yes"})
        yield Manifest("tiny", 2, "2026-01-01T00:00:00Z", linear).to_bytes()
    yield Pointer(1, "00" * 32).to_bytes()
    yield Pointer(7, "ff" * 32, 12, Signature(_KEY, _VALUE)).to_bytes()
    yield Signature(_KEY, _VALUE).to_bytes()
    yield sealed({"labels": {"canary": 3}})
    yield sealed({})


def check(data: bytes) -> None:
    """Read it as each kind of file."""
    for kind, rewritten in _READERS.items():
        try:
            found = rewritten(data)
        except BrokenModel:
            continue
        assert found == data, kind
