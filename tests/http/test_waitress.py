"""The application behind another server: nothing relies on gunicorn by accident."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from flask.testing import FlaskClient
from waitress.server import create_server

from tests.support.hostile import DOCUMENTS, NUMBERS, PATHS, ROWS, TYPES, Case

CASES = DOCUMENTS + NUMBERS + ROWS + TYPES + PATHS


@pytest.fixture(scope="module")
def connection(client: FlaskClient) -> Iterator[http.client.HTTPConnection]:
    """One to the application of `client`, served by waitress in a thread."""
    server = create_server(client.application, host="127.0.0.1", port=0, threads=1)

    def run() -> None:
        with suppress(OSError):  # closing it takes the descriptors from under its select
            server.run()

    thread = threading.Thread(target=run)
    thread.start()
    kept = http.client.HTTPConnection("127.0.0.1", server.effective_port, timeout=20)
    yield kept
    kept.close()
    server.close()
    thread.join(timeout=20)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_is_answered_alike(case: Case, connection: http.client.HTTPConnection) -> None:
    connection.request(case.method, case.target, case.body, dict(case.headers))
    answer = connection.getresponse()
    answer.read()

    assert answer.status == case.status


def test_chunked_body_is_read_and_limited(connection: http.client.HTTPConnection) -> None:
    statuses = []
    for pieces in ([b'{"x":', b"[1,2,0.5]}"], [bytes(1 << 16)] * 17):
        connection.request("POST", "/predict", iter(pieces), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)

    assert statuses == [200, 413]
