"""Large bodies of which Python makes objects: elsewhere where others wait, and one at a time."""

import json
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.errors import InvalidInput, TooLarge
from app.model import Model, load_model
from app.protocols import native
from app.protocols.native import BRIEF_BYTES, Call, TakesLonger, answer
from app.store import Reader

MAX_ROWS = 3_000
ROWS: list[Any] = [[n, n / 3, 0.5] for n in range(2_000)]
AN_OBJECT = {"width": 1, "height": 2, "depth": 3}
ESCAPED = "escaped names"
BODIES = {
    ESCAPED: [*ROWS, AN_OBJECT],
    "a wrong value": [*ROWS, [1, "2", 3]],
    "wrong widths": [[*row, 4] for row in ROWS],
    "too many rows": ROWS * 2,
}
"""By what is not plain about them."""


@pytest.fixture(params=["tiny/1", "tiny/2"], ids=["by its pickle", "by its numbers"])
def model(request: pytest.FixtureRequest, models: Path) -> Model:
    name, _, version = request.param.partition("/")
    return load_model(Reader(models), name, int(version))


class Kept(list[Any]):
    """Rows of which can be told whether they are still there."""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[weakref.ref[Kept]]:
    """The rows that bodies are unfolded to."""
    found: list[weakref.ref[Kept]] = []
    decode = native.decode

    def keeping(*given: Any) -> Call:
        call = decode(*given)
        rows = Kept(call.rows)
        found.append(weakref.ref(rows))
        return Call(rows, call.single, call.only_numbers)

    monkeypatch.setattr(native, "decode", keeping)
    return found


@pytest.mark.parametrize("x", BODIES.values(), ids=BODIES)
def test_where_others_wait_a_large_body_is_left_to_whoever_has_time(model: Model, x: Any) -> None:
    with pytest.raises(TakesLonger):
        answer(model, body(x), MAX_ROWS, briefly=True)


@pytest.mark.parametrize("x", [*BODIES.values(), ROWS])
def test_where_others_wait_a_small_body_is_answered_whatever_it_is(model: Model, x: Any) -> None:
    assert told(model, x[-3:], briefly=True) == told(model, x[-3:], briefly=False)


def test_a_large_body_that_is_plainly_right_is_answered_at_once(model: Model) -> None:
    assert told(model, ROWS, briefly=True) == told(model, ROWS, briefly=False)


def test_a_large_body_is_answered_as_its_parts_are(model: Model) -> None:
    x = BODIES[ESCAPED]
    assert len(body(x)) > BRIEF_BYTES

    answered, rows = answer(model, body(x), MAX_ROWS)

    parts = [json.loads(answer(model, body([row]), MAX_ROWS)[0])["y"][0] for row in x]
    assert json.loads(answered)["y"] == pytest.approx(parts, rel=1e-12)
    assert rows == len(x)


def test_a_row_that_is_large_is_answered_by_one_bare_value(model: Model) -> None:
    alone = body(AN_OBJECT)
    padded = alone[:-1] + b" " * BRIEF_BYTES + b"}"

    assert answer(model, padded, MAX_ROWS) == answer(model, alone, MAX_ROWS)


def test_objects_are_gone_before_somebody_else_makes_such(
    model: Model, made: list[weakref.ref[Kept]]
) -> None:
    answer(model, body(BODIES[ESCAPED]), MAX_ROWS)
    with pytest.raises(InvalidInput) as caught:
        answer(model, body(BODIES["a wrong value"]), MAX_ROWS)

    assert caught.value.__traceback__ is not None  # which would keep them
    assert [each() for each in made] == [None, None]


def test_large_bodies_are_unfolded_one_at_a_time(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode, another = native.decode, threading.Event()
    inside: list[int] = []
    together: list[bool] = []

    def meeting(*given: Any) -> Call:
        if inside:
            another.set()
        inside.append(1)
        call = decode(*given)
        together.append(another.wait(0.3))
        inside.pop()
        return call

    monkeypatch.setattr(native, "decode", meeting)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: told(model, BODIES["wrong widths"]), range(2)))

    assert together == [False, False]


def body(x: Any) -> bytes:
    """A request whose names are written in an unusual way."""
    return json.dumps({"x": x}).replace("width", r"wid\u0074h").encode()


def told(model: Model, x: Any, **how: bool) -> Any:
    """The answer, or the error in full."""
    try:
        return answer(model, body(x), MAX_ROWS, **how)
    except (InvalidInput, TooLarge) as error:
        return type(error), error.message, getattr(error, "details", None)
