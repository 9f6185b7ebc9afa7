"""The name in a certificate: one, plain, or none."""

import pytest

from app.tls import certified


def subject(*names: str) -> dict[str, object]:
    """A certificate as `ssl` decodes it."""
    parts = [(("commonName", name),) for name in names]
    return {"subject": ((("organizationName", "Acme"),), *parts)}


@pytest.mark.parametrize("name", ["alice", "a.b-c_D9", "x" * 64])
def test_a_plain_name_is_taken(name: str) -> None:
    assert certified(subject(name)) == name


@pytest.mark.parametrize(
    "names", [[], ["a", "b"], [""], ["x" * 65], ["a b"], ["a\n"], ["a\0b"], ["é"], ["*"], ["a/b"]]
)
def test_any_other_is_none(names: list[str]) -> None:
    assert certified(subject(*names)) is None


@pytest.mark.parametrize("peer", [None, {}])
def test_who_shows_nothing_has_none(peer: dict[str, object] | None) -> None:
    assert certified(peer) is None
