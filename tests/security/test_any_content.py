"""Whatever the files of keys hold, reading them ends with records or with one sentence."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import StoreError
from app.security.key_sets import parse
from app.security.records import Record, from_bytes, to_bytes
from tests.support.tokens import issuer

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
RECORD = {
    "id": "abcdefgh",
    "name": "web",
    "digest": "00" * 32,
    "scopes": ["predict"],
    "models": None,
    "created": "2026-11-26T09:00:00Z",
    "expires": "2030-01-01T00:00:00Z",
}
JWK = dict(issuer("one", "ES256").jwk)


@given(member=st.sampled_from(sorted(RECORD)), value=ANYTHING)
def test_a_record_with_any_member_is_taken_or_refused(member: str, value: Any) -> None:
    content = json.dumps({"format": 1, "keys": [RECORD | {member: value}]}).encode()
    try:
        records = from_bytes(content)
    except StoreError:
        return

    assert [type(each) for each in records] == [Record]
    assert from_bytes(to_bytes(records)) == records


@given(member=st.sampled_from(sorted([*JWK, "key_ops"])), value=ANYTHING)
def test_a_jwk_with_any_member_is_taken_or_refused(member: str, value: Any) -> None:
    try:
        parse(json.dumps({"keys": [JWK | {member: value}]}).encode())
    except StoreError:
        return

    assert member in ("kid", "use", "alg", "key_ops")


@given(st.binary(max_size=50) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_refused(content: bytes) -> None:
    for read in (from_bytes, parse):
        with pytest.raises(StoreError):
            read(content)
