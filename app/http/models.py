"""What is served: the list of models, and each with all that is known of it."""

import shlex
from typing import Any

import orjson
from flask import Blueprint, Response, request

from app.errors import UnknownModel
from app.http.body import check_acceptable
from app.http.plain import sender_of
from app.http.service import Service, service
from app.http.visible import states
from app.masking import mask
from app.model import Model
from app.registry import State

blueprint = Blueprint("models", __name__)

SHOWS_KEY = '-H "Authorization: Bearer $KEY" '
"""Of a line to paste: the key is in a variable of the shell, and so in no history of it."""


@blueprint.get("/models")
def list_models() -> Response:
    """Every model of the store with its current version, and whether it can predict."""
    check_acceptable(request)
    served = service()
    found = states()
    return json_response({"models": [summary(served, found[name]) for name in sorted(found)]})


@blueprint.get("/models/<name>")
def show_model(name: str) -> Response:
    """All that is known of a model: schema, metrics, training, versions, an example to paste."""
    check_acceptable(request)
    served = service()
    state = served.registry.states().get(name)
    if state is None:
        raise UnknownModel(f"there is no model named {name!r}")
    return json_response(description(served, state, asked_at()))


def asked_at() -> str:
    """How the client reaches this service: by TLS, if a proxy before it is trusted to say so."""
    said, own = request.headers.get("X-Forwarded-Proto"), request.scheme
    scheme = service().proxies.scheme(sender_of(request.environ), said, own)
    return scheme + request.host_url.removeprefix(own)


def json_response(content: Any) -> Response:
    """An answer with this content as JSON."""
    return Response(orjson.dumps(content), mimetype="application/json")


def summary(served: Service, state: State) -> dict[str, Any]:
    """A model in a list."""
    model = state.model
    return {
        "name": state.name,
        "version": model.manifest.version if model else None,
        "ready": model is not None,
        "default": state.name == served.registry.default,
        "problem": state.problem,
    }


def description(served: Service, state: State, url: str) -> dict[str, Any]:
    """A model by itself, `url` being how the client reaches this service."""
    found = summary(served, state) | {
        "versions": served.registry.versions(state.name),
        "labels": {
            label: {
                "version": each.version,
                "ready": each.model is not None,
                "problem": each.problem,
            }
            for label, each in state.labels.items()
        },
    }
    if state.model is None:
        return found
    manifest = state.model.manifest
    made = manifest.description
    return found | {
        "created": manifest.created,
        "estimator": made.estimator,
        "schema": made.schema.to_json(),
        "metrics": made.metrics,
        "training": made.training,
        "linear": made.linear,
        "promotion": made.promotion,
        "libraries": made.libraries,
        "signature": {"state": state.model.signed.state, "key": state.model.signed.key},
        "example": example(served, state.model, url),
    }


def example(served: Service, model: Model, url: str) -> dict[str, Any]:
    """A request that this model answers, the answer, and a line for a shell that sends it."""
    row = list(model.manifest.description.golden.x[0])
    body = orjson.dumps({"x": row}).decode()
    target = mask(f"{url.rstrip('/')}/models/{model.manifest.name}/predict")
    rest = shlex.join(["-H", "Content-Type: application/json", "-d", body])
    return {
        "request": {"x": row},
        "request_by_name": {"x": dict(zip(model.schema.names, row, strict=True))},
        "response": {"y": model.examples[0]},
        "curl": f"curl -s {shlex.quote(target)} {SHOWS_KEY if served.config.auth else ''}{rest}",
    }
