"""What operators ask: is it up, can it predict, which version, how much of what."""

from flask import Blueprint, Response, request

from app.compiled import library
from app.errors import NotReady
from app.http.models import json_response
from app.http.service import service
from app.runtimes import installed
from app.version import __version__

blueprint = Blueprint("operations", __name__)


@blueprint.get("/healthz")
def health() -> Response:
    """200 as long as the process answers at all."""
    return json_response({"status": "ok"})


@blueprint.get("/readyz")
def ready() -> Response:
    """200 when /predict can be answered or, without a default model, when any can predict.

    It asks for no key, so where others do it names no model and no reason.
    """
    served = service()
    if served.leaving.is_set():
        raise NotReady("the service is about to stop")
    registry, is_discreet = served.registry, served.config.auth
    states = registry.states()
    try:
        if registry.default is not None or not any(state.model for state in states.values()):
            registry.get()
    except NotReady:
        if is_discreet:
            raise NotReady("there is no usable model; GET /models says why, with a key") from None
        raise
    if is_discreet:
        return json_response({"ready": True, "models": {}})
    models = {name: state.model.label if state.model else None for name, state in states.items()}
    return json_response({"ready": True, "models": models})


@blueprint.get("/version")
def version() -> Response:
    """The versions of Ordinate, of Python and of the libraries that decide what is answered."""
    reader = "Python" if library() is None else "compiled code"
    return json_response({"version": __version__, "libraries": installed(), "rows_read_by": reader})


@blueprint.get("/metrics")
def metrics() -> Response:
    """Counts and durations of all workers, for Prometheus."""
    served = service()
    models = [
        (state.name, state.model.manifest.version)
        for state in served.registry.states().values()
        if state.model
    ]
    body, content_type = served.metrics.render(models, open_format=_prefers_openmetrics())
    return Response(body, content_type=content_type)


def _prefers_openmetrics() -> bool:
    """Whether it is asked for by name, and plain text not more."""
    asked, plain = (
        max((q for kind, q in request.accept_mimetypes if kind.lower().startswith(name)), default=0)
        for name in ("application/openmetrics-text", "text/plain")
    )
    return asked > 0 and asked >= plain
