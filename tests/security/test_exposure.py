"""Which addresses are of this machine alone."""

import pytest

from app.errors import Forbidden
from app.security import FREE, NOTHING, Guard, Sender
from app.security.exposure import exposed, is_local


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "", "localhost"]
)
def test_a_sender_on_this_machine(address: str) -> None:
    assert is_local(address)


@pytest.mark.parametrize(
    "address",
    [
        "192.0.2.1",
        "10.0.0.1",
        "0.0.0.0",
        "::",
        "fe80::1%eth0",
        "::ffff:192.0.2.1",
        "x",
        "127.0.0.1.x",
    ],
)
def test_a_sender_elsewhere(address: str) -> None:
    assert not is_local(address)


def test_what_others_can_reach_is_named() -> None:
    addresses = [("127.0.0.1", 1), ("::1", 2, 0, 0), "/run/x.sock", ("0.0.0.0", 3), ("::", 4, 0, 0)]

    assert exposed(addresses) == ["0.0.0.0:3", ":::4"]
    assert exposed([("", 5), ("localhost", 6), ("192.0.2.1", 7)]) == [":5", "192.0.2.1:7"]


def test_a_guard_without_keys_answers_its_own_machine_until_listeners_are_trusted() -> None:
    guard, stranger = Guard(is_local=True), Sender("192.0.2.1")

    guard.admit(NOTHING, Sender("127.0.0.1"), "/predict")
    assert guard.admit(NOTHING, stranger, "/healthz") is FREE
    for route in ("/predict", "/metrics", None):
        with pytest.raises(Forbidden, match=r"its own machine alone: .* ORDINATE_ALLOW_OPEN=on"):
            guard.admit(NOTHING, stranger, route)
    with pytest.raises(Forbidden):
        guard.look(NOTHING, stranger, "/predict")

    guard.trust_listeners()

    assert guard.idle
    assert guard.admit(NOTHING, stranger, "/predict") is FREE
