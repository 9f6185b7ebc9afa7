"""Bodies of prediction requests: three readers, one of them slow and plain, must agree."""

import json
from collections.abc import Iterator

from app.checking import to_matrix
from app.compiled import Plan, plan_for
from app.errors import OrdinateError
from app.protocols.native import decode
from app.schema import Schema
from tests.support import reference
from tests.support.hostile import DOCUMENTS, NUMBERS, ROWS
from tests.support.models import MIXED, PLAIN, SINGLE
from tests.support.models import ROWS as GOOD

SCHEMAS = (PLAIN, MIXED, SINGLE)
MAX_ROWS = 20
MAX_SEED = 2000
KEY = b'"x"'

_TOO_DEEP = {400, 413}
_plans: dict[int, Plan | None] = {id(schema): plan_for(schema) for schema in SCHEMAS}


def seeds() -> Iterator[bytes]:
    """Good bodies of every form, and all the hostile ones that are short."""
    for schema in SCHEMAS:
        rows = [list(row) for row in GOOD[id(schema)]]
        for x in (rows, rows[0], [dict(zip(schema.names, row, strict=True)) for row in rows]):
            yield json.dumps({"x": x}).encode()
    yield from (case.body for case in DOCUMENTS + NUMBERS + ROWS if len(case.body) < MAX_SEED)


def check(body: bytes) -> None:
    """Have the body read in all ways."""
    for schema in SCHEMAS:
        found = read(schema, body)
        try:
            expected = reference.answer(schema, body, MAX_ROWS)
        except RecursionError:  # nested deeper than the reference can go, so no row of numbers
            assert found in _TOO_DEEP, (schema.names, found)
        else:
            assert repr(found) == repr(expected), (schema.names, found, expected)
        compiled = read_compiled(schema, body)
        assert compiled is None or repr(compiled) == repr(found), (schema.names, compiled, found)


def read(schema: Schema, body: bytes) -> reference.Answer:
    """What the service reads: whether one row stands alone, and the matrix; or the status."""
    try:
        call = decode(body, schema, MAX_ROWS)
        return call.single, to_matrix(schema, call.rows, call.only_numbers).tolist()
    except OrdinateError as error:
        return error.status


def read_compiled(schema: Schema, body: bytes) -> reference.Answer | None:
    """What the compiled code reads, None where it leaves the body to Python."""
    plan = _plans[id(schema)]
    rows = None if plan is None else plan.read(body, KEY, MAX_ROWS)
    if rows is None:
        return None
    return (True, [rows]) if isinstance(rows, list) else (False, rows.tolist())
