"""The guard with quotas: who shows wrong keys is refused for a while, and nobody else is."""

import pytest

from app.config import Config
from app.errors import Forbidden, TooManyRequests, Unauthorized
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


def limited(monkeypatch: pytest.MonkeyPatch | None = None) -> Guard:
    """A guard before doors that need another scope, with ten requests a day for each address."""
    config = Config.from_env({"ORDINATE_LIMIT_ADDRESS_REQUESTS": "10/day"})
    quotas = Quotas.of(config, Metrics(), Log("error"), keys=True)
    if monkeypatch is not None:
        monkeypatch.setattr(quotas, "is_quick", False)
    return Guard(OneKey(), quotas, {"/metrics": Scope.ADMIN})


def metrics_of(_: object = None) -> tuple[str, None]:
    return "/metrics", None


def test_a_right_key_at_a_wrong_door_is_no_free_request() -> None:
    guard = limited()

    for left in range(9, -1, -1):
        with pytest.raises(Forbidden) as refused:
            guard.admit(RIGHT, HERE, "/metrics")
        assert f'"requests-per-address";r={left};' in dict(refused.value.headers)["RateLimit"]
    with pytest.raises(TooManyRequests):
        guard.admit(RIGHT, HERE, "/metrics")
    with pytest.raises(TooManyRequests):
        guard.admit(RIGHT, HERE, "/predict")


def test_it_counts_before_the_body_is_here_as_well_and_who_is_let_in_counts_later() -> None:
    guard = limited()
    for _ in range(50):
        guard.look(RIGHT, HERE, "/predict", lambda: ("/predict", None))

    for _ in range(10):
        with pytest.raises(Forbidden):
            guard.look(RIGHT, HERE, "/metrics", metrics_of)

    with pytest.raises(TooManyRequests):
        guard.look(RIGHT, HERE, "/metrics", metrics_of)


def test_where_counting_takes_long_it_is_left_to_who_can_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guard = limited(monkeypatch)

    guard.look(RIGHT, HERE, "/metrics", metrics_of)

    with pytest.raises(Forbidden):
        guard.admit(RIGHT, HERE, "/metrics")
