"""Services in this process, without a server."""

from pathlib import Path

from flask.testing import FlaskClient

from app import create_app
from app.config import Config


def client_of(models: Path, **env: str) -> FlaskClient:
    """A service over these models, which looks for new ones only at its start."""
    config = Config.from_env({"ORDINATE_MODELS": str(models), "ORDINATE_REFRESH": "0", **env})
    return create_app(config).test_client()
