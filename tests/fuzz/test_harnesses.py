"""Each harness on its seeds, on what was once found, and on mutations of both."""

import random
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from tests.fuzz.harnesses import HARNESSES
from tests.fuzz.mutation import mutants
from tests.support.server import ROOT

MUTANTS = 250
"""Of each; `python -m tests.fuzz` tries millions."""

FOUND = {
    "cutting": [
        # What was wrong behind the limit mattered only if it came in one piece.
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n78\r\n"
        + b" " * 120
        + b"\r\nz\r\n",
        # A length of more digits than Python makes a number of was answered with 500.
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        # Lines of chunks and trailers could be longer if they came in one piece.
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;a="
        + b"a" * 9000
        + b"\r\nx\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: "
        + b"a" * 9000
        + b"\r\n\r\n",
    ],
    "pems": [
        # A key of X448 with the bytes of another ended the start with a stack trace.
        b"-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"
        % b"MC4CAQAwBQYDK2VvBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
    ],
    "serving": [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n"],
}
"""Inputs that broke a promise before it was kept."""


@pytest.mark.parametrize("name", HARNESSES)
def test_seeds_and_former_findings_pass(name: str) -> None:
    harness = HARNESSES[name]

    for data in (*harness.seeds(), *FOUND.get(name, [])):
        harness.check(data)


@pytest.mark.parametrize("name", HARNESSES)
def test_mutations_pass(name: str) -> None:
    harness = HARNESSES[name]
    pool = [*harness.seeds(), *FOUND.get(name, [])]

    for data in islice(mutants(pool, random.Random(1)), MUTANTS):
        harness.check(data)


@pytest.mark.parametrize("name", HARNESSES)
def test_empty_input_passes(name: str) -> None:
    HARNESSES[name].check(b"")


def test_nothing_of_ours_is_imported_before_it_can_be_instrumented() -> None:
    begin, _, rest = (Path(__file__).parent / "guided.py").read_text().partition("\nwith atheris")
    assert "from tests.fuzz.harnesses" in rest
    ask = "sys.exit(not {'app', 'gunicorn'}.isdisjoint(sys.modules))"
    code = f"{begin.replace('import atheris', '')}\n{ask}"

    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_each_module_that_checks_bytes_is_a_harness() -> None:
    folder = Path(__file__).parent

    found = {path.stem for path in folder.glob("*.py") if "\ndef check(" in path.read_text()}

    assert found == set(HARNESSES)
