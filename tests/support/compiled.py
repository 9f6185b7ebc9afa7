"""What compiled code needs to read the requests of a schema."""

import pytest

from app.compiled import Plan, plan_for
from app.linear import Linear
from app.schema import Schema


def plan(schema: Schema, model: Linear | None = None) -> Plan:
    """The plan for a schema, and for a linear model; skips where the code was not built."""
    made = plan_for(schema, model)
    if made is None:
        pytest.skip("the compiled code was not built: python -m app.compiled")
    return made
