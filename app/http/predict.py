"""Prediction requests of the native dialect, as Flask sees them; most take `app.http.fast`."""

from collections.abc import Callable

from flask import Blueprint, Response, g, request

from app.errors import UnknownModel
from app.http.body import check_acceptable, read_json_body
from app.http.errors import as_response
from app.http.outcome import Outcome, answered, predicted
from app.http.service import service
from app.model import Model
from app.registry import Registry
from app.security import FREE
from app.store import version_number

blueprint = Blueprint("predict", __name__)


@blueprint.post("/predict")
def predict_default() -> Response:
    """``{"x": row or rows}`` -> ``{"y": value or values}`` by the default model."""
    return _predict_unversioned(g.get("ticket", FREE).model)


@blueprint.post("/models/<name>/predict")
def predict_named(name: str) -> Response:
    """The same by the current version of the named model."""
    return _predict_unversioned(name)


@blueprint.post("/models/<name>/versions/<version>/predict")
def predict_versioned(name: str, version: str) -> Response:
    """The same by one version of the named model."""
    number = version_number(version)
    if number is None:
        raise UnknownModel(f"a version is a whole number from 1, not {version[:80]!r}")
    return _predict(lambda registry: registry.get(name, number))


@blueprint.post("/models/<name>/labels/<label>/predict")
def predict_labelled(name: str, label: str) -> Response:
    """The same by the version of the named model that a label stands for."""
    return _predict(lambda registry: registry.labelled(name, label))


def _predict_unversioned(name: str | None) -> Response:
    served, body = service(), _body()
    return _charged(answered(served, served.registry.lineup(name), g.request_id, body))


def _predict(find: Callable[[Registry], Model]) -> Response:
    served, body = service(), _body()
    return _charged(predicted(find(served.registry), body, served.config.max_rows))


def _charged(outcome: Outcome) -> Response:
    """What was predicted, once its rows are paid for. Raises TooManyRequests."""
    if ticket := g.get("ticket"):
        ticket.charge(outcome.rows)
    g.outcome = outcome
    return as_response(outcome)


def _body() -> bytes:
    check_acceptable(request)
    return read_json_body(request, service().config.max_body_bytes)
