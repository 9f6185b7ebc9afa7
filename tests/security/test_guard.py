"""The guard: who gets in, through which door."""

import pytest

from app.errors import Forbidden, Unauthorized
from app.security import FREE, LOCAL, NOTHING, Caller, Guard, Scope, Sender, Shown

PREDICTS = Caller("reader", frozenset({Scope.PREDICT}), frozenset({"tiny"}))
RULES = Caller("ruler", frozenset({Scope.ADMIN}))


class Book:
    """Knows a caller by what the Authorization header says."""

    def find(self, shown: Shown, _sender: Sender) -> Caller | None:
        return {"reader": PREDICTS, "ruler": RULES}.get(shown.authorization or "")


GUARD = Guard(Book(), scopes={"/metrics": None, "/admin": Scope.ADMIN})
READER, RULER = Shown("reader", None), Shown("ruler", None)


def test_without_keys_everybody_gets_in() -> None:
    assert Guard().idle
    assert Guard().admit(NOTHING, LOCAL, "/predict") is FREE


@pytest.mark.parametrize("route", ["/healthz", "/readyz", "/metrics"])
def test_some_doors_are_open(route: str) -> None:
    assert GUARD.admit(NOTHING, LOCAL, route) is FREE
    GUARD.look(NOTHING, LOCAL, route)


@pytest.mark.parametrize("route", ["/predict", "/models", "/", None, "/admin"])
@pytest.mark.parametrize("shown", [NOTHING, Shown("nobody", None)])
def test_all_others_need_a_key_that_is_known(route: str | None, shown: Shown) -> None:
    with pytest.raises(Unauthorized):
        GUARD.admit(shown, LOCAL, route)


def test_a_key_opens_what_it_is_for() -> None:
    assert GUARD.admit(READER, LOCAL, "/predict", "tiny").caller is PREDICTS
    assert GUARD.admit(RULER, LOCAL, "/admin").caller is RULES
    assert GUARD.admit(RULER, LOCAL, "/predict", "tiny").caller is RULES

    with pytest.raises(Forbidden, match="scope 'admin'"):
        GUARD.admit(READER, LOCAL, "/admin")
    with pytest.raises(Forbidden, match="not for this model"):
        GUARD.admit(READER, LOCAL, "/predict", "other")


def test_nobody_waits_for_the_body_of_who_is_not_known() -> None:
    GUARD.look(READER, LOCAL, "/predict")

    with pytest.raises(Unauthorized):
        GUARD.look(NOTHING, LOCAL, "/predict")
