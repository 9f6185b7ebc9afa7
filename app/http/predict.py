"""Prediction requests of the native dialect, as Flask sees them; most take `app.http.fast`."""

from flask import Blueprint, Response, g, request

from app.errors import UnknownModel
from app.http.body import check_acceptable, read_json_body
from app.http.errors import as_response
from app.http.outcome import predicted
from app.http.service import service
from app.store import version_number

blueprint = Blueprint("predict", __name__)


@blueprint.post("/predict")
def predict_default() -> Response:
    """``{"x": row or rows}`` -> ``{"y": value or values}`` by the default model."""
    return _predict(None, None)


@blueprint.post("/models/<name>/predict")
def predict_named(name: str) -> Response:
    """The same by the current version of the named model."""
    return _predict(name, None)


@blueprint.post("/models/<name>/versions/<version>/predict")
def predict_versioned(name: str, version: str) -> Response:
    """The same by one version of the named model."""
    number = version_number(version)
    if number is None:
        raise UnknownModel(f"a version is a whole number from 1, not {version[:80]!r}")
    return _predict(name, number)


def _predict(name: str | None, version: int | None) -> Response:
    served = service()
    check_acceptable(request)
    body = read_json_body(request, served.config.max_body_bytes)
    g.outcome = predicted(served.registry.get(name, version), body, served.config.max_rows)
    return as_response(g.outcome)
