"""docs/publishing.md: what it shows publishes a model that is served like any other."""

import os
import re
import subprocess
import sys

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.config import Config
from tests.support.server import ROOT

TEXT = (ROOT / "docs" / "publishing.md").read_text("utf-8")
(PROGRAM,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Those of a service that has the model."""
    settings = {"ORDINATE_REFRESH": "0"}
    settings["ORDINATE_MODELS"] = str(tmp_path_factory.mktemp("store") / "models")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("ORDINATE_")} | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("published version 1 of boosted\n", "")
    return settings


@pytest.fixture
def served(settings: dict[str, str]) -> FlaskClient:
    return create_app(Config.from_env(settings)).test_client()


def test_it_answers_with_a_number_a_row(served: FlaskClient) -> None:
    example = served.get("/models/boosted").get_json()["schema"]["features"]
    row = {feature["name"]: feature["minimum"] for feature in example}

    answer = served.post("/predict", json={"x": [row, list(row.values())]})

    assert (answer.status_code, answer.headers["X-Model"]) == (200, "boosted/1")
    first, second = answer.get_json()["y"]
    assert first == second
    assert 0 < first < 400


@pytest.mark.parametrize("target", ["/", "/models", "/models/boosted", "/openapi.json", "/readyz"])
def test_all_that_shows_models_shows_it(served: FlaskClient, target: str) -> None:
    assert b"boosted" in served.get(target).data


def test_it_can_be_verified(settings: dict[str, str]) -> None:
    runner = create_app(Config.from_env(settings), load=False).test_cli_runner()

    result = runner.invoke(args=["models", "verify", "boosted"])

    assert result.exit_code == 0, result.output
