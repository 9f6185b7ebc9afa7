"""The compiled reader of rows by itself: what it takes is what Python takes, to the bit.

`bodies` asks it as well, beside slower readers. Here it is nearly alone, so that millions of inputs
reach it; where clang is installed it is built for that, with coverage and the address sanitizer.
"""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from app.compiled import Plan, library
from app.compiled.library import load
from app.linear import Linear
from app.schema import Schema
from tests.fuzz import bodies
from tests.fuzz.places import LIBRARY
from tests.support.models import fitted, linear_numbers


def seeds() -> Iterator[bytes]:
    """Bodies of requests."""
    return bodies.seeds()


def check(body: bytes) -> None:
    """Have rows read, and answered, for each schema."""
    for plan, linear, schema in _plans():
        room = plan.read(body, bodies.KEY, bodies.MAX_ROWS)
        y = plan.answer(body, bodies.KEY, bodies.MAX_ROWS)
        assert (room is None) == (y is None)
        if room is None or y is None:
            continue
        rows = np.atleast_2d(room)
        found = bodies.read(schema, body)
        assert repr(found) == repr((isinstance(room, list), rows.tolist())), found
        assert np.array_equal(np.atleast_1d(y), linear.predict(rows))


@cache
def _plans() -> list[tuple[Plan, Linear, Schema]]:
    named = os.environ.get(LIBRARY)
    found = load(Path(named)) if named else library()
    if found is None:
        assert named is None, f"{named} cannot be loaded"
        return []  # it was not built; then there is nothing to check
    made = [(s, Linear(linear_numbers(s, fitted(s)), s)) for s in bodies.SCHEMAS]
    return [(Plan(schema, found, linear), linear, schema) for schema, linear in made]
