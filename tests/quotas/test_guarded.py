"""The guard with quotas: who shows wrong keys is refused for a while, and nobody else is."""

import pytest

from app.config import Config
from app.errors import TooManyRequests, Unauthorized
from app.quotas import Quotas
from app.security import NOTHING, Caller, Guard, Scope, Sender, Shown
from app.telemetry import Log, Metrics

RIGHT, WRONG = Shown("Bearer right", None), Shown("Bearer wrong", None)
HERE, THERE = Sender("192.0.2.1"), Sender("192.0.2.2")


class OneKey:
    """Keys of a service that has one."""

    def find(self, shown: Shown, _sender: Sender) -> Caller | None:
        return Caller("alice", frozenset((Scope.PREDICT,))) if shown == RIGHT else None


@pytest.fixture
def guard() -> Guard:
    return Guard(OneKey(), Quotas.of(Config.from_env({}), Metrics(), Log("error"), keys=True))


def outcome(guard: Guard, shown: Shown, sender: Sender) -> str:
    try:
        guard.admit(shown, sender, "/predict")
    except (Unauthorized, TooManyRequests) as error:
        return type(error).__name__
    return "let in"


def test_of_a_thousand_wrong_keys_a_minute_most_are_too_many(guard: Guard) -> None:
    found = [outcome(guard, WRONG, HERE) for _ in range(1000)]

    assert set(found[:60]) == {"Unauthorized"}
    assert found.count("TooManyRequests") > 900
    with pytest.raises(TooManyRequests) as refused:
        guard.admit(WRONG, HERE, "/predict")
    assert refused.value.retry_after == 1


def test_others_are_unaffected_and_so_is_a_right_key_from_there(guard: Guard) -> None:
    for _ in range(100):
        outcome(guard, WRONG, HERE)

    assert outcome(guard, RIGHT, HERE) == "let in"
    assert outcome(guard, RIGHT, THERE) == "let in"
    assert outcome(guard, WRONG, THERE) == "Unauthorized"
    assert outcome(guard, WRONG, HERE) == "TooManyRequests"


def test_who_shows_no_key_at_all_tries_none(guard: Guard) -> None:
    assert {outcome(guard, NOTHING, HERE) for _ in range(100)} == {"Unauthorized"}
    assert outcome(guard, WRONG, HERE) == "Unauthorized"


def test_wrong_keys_count_before_the_body_is_here_as_well(guard: Guard) -> None:
    for _ in range(60):
        with pytest.raises(Unauthorized):
            guard.look(WRONG, HERE, "/predict")

    with pytest.raises(TooManyRequests):
        guard.look(WRONG, HERE, "/predict")
