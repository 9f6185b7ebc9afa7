"""Whoever came by TLS is told to come back by it, whichever server the application is behind."""

from pathlib import Path

import pytest

from tests.support.clients import client_of

BODY = {"x": [1, 2, 0.5]}


@pytest.mark.parametrize("seconds", [0, 600])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("target", ["/predict", "/nowhere", "/models/tiny/versions/1/predict"])
def test_the_header_is_sent_where_it_is_asked_for_and_believed(
    models: Path, target: str, scheme: str, seconds: int
) -> None:
    client = client_of(models, ORDINATE_HSTS=str(seconds))

    answer = client.post(target, json=BODY, base_url=f"{scheme}://localhost")

    told = scheme == "https" and seconds > 0
    assert answer.headers.get("Strict-Transport-Security") == ("max-age=600" if told else None)
