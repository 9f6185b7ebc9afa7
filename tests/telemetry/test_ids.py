"""Request ids."""

import subprocess
import sys

import pytest

from app.telemetry import request_id


@pytest.mark.parametrize(
    "given", ["a", "A-Z_0.9", "550e8400-e29b-41d4-a716-446655440000", "x" * 128]
)
def test_a_sane_id_is_echoed(given: str) -> None:
    assert request_id(given) == given


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "x" * 129,
        "a b",
        "a\n",
        "a\r\nSet-Cookie: x",
        "\x1b[31m",
        "é",
        "٣",
        '"',
        "a/b",
        "a,b",
        "ordk_3fVq0bTz8kJ",
        "a.eyJhbGciOiJFZERTQSJ9.e30.x",
    ],
)
def test_anything_else_gets_a_fresh_one(given: str | None) -> None:
    fresh = request_id(given)

    assert fresh != given
    assert len(fresh) == 32
    assert set(fresh) <= set("0123456789abcdef")


FORKED = """
import os
from app.telemetry import request_id
request_id()
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        os.write(1, "".join(request_id() + chr(10) for _ in range(100)).encode())
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""


def test_forked_workers_never_hand_out_the_same_id() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED], check=True, capture_output=True, text=True, timeout=60
    )

    assert len(set(done.stdout.split())) == 400
