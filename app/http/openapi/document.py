"""The OpenAPI document as a function of the settings and of the models that are served."""

from collections.abc import Iterable, Mapping

from app.config import Config
from app.http.openapi import access, answers
from app.http.openapi.inputs import Json, code, codes, examples, model_components, ref
from app.http.openapi.refusals import refusals, refused_by
from app.model import Model
from app.registry import State
from app.version import __version__

_ABOUT = """\
POST `x`, it answers `y`. Each model has an address of its own here, with its features, and the
default one answers at `/predict` as well. Numbers outside of the range seen in training are taken.
Versions that are not current answer too, at `/models/NAME/versions/V/predict`; what such a version
takes is not told here, for it may have been trained on other features.

A JSON body may come with `Content-Encoding: gzip` or `deflate`, and its limit is {bytes} bytes
after inflating. Every error has the same form, also where HTTP itself is malformed (400), arrives
too slowly (408), has lines that are too long (414, 431), or asks for what is not spoken here (417,
501)."""

_TAGS = {
    "predictions": "POST rows, get predictions.",
    "models": "What is served, and all that is known of it.",
    "operations": "Is it up, can it predict, how much of what.",
}

_READ_ONLY = (
    ("/", "showIndex", "models", "What is served here", "Index", ()),
    ("/models", "listModels", "models", "All models", "ModelList", (406,)),
    ("/openapi.json", "showDocument", "models", "This document", "Document", ()),
    ("/healthz", "checkHealth", "operations", "Whether the process is up", "Health", ()),
    ("/readyz", "checkReadiness", "operations", "Whether it can predict", "Readiness", ()),
    ("/version", "showVersion", "operations", "Versions of the software", "Versions", ()),
)


def document(config: Config, states: Mapping[str, State], default: str | None) -> Json:
    """Describe a service with these settings and models.

    Args:
        config: the limits come from it.
        states: the models by name.
        default: name of the one that answers at /predict, if any.
    """
    models = {name: state.model for name, state in sorted(states.items())}
    found = {
        "openapi": "3.1.0",
        "info": {
            "title": "Ordinate",
            "version": __version__,
            "description": _ABOUT.format(bytes=config.max_body_bytes),
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": _predictions(models, default) | _labelled(states) | _others(),
        "components": {
            "schemas": answers.schemas() | _of_models(models, config.max_rows),
            "responses": refusals(),
            "headers": answers.headers(),
            "parameters": {"RequestId": answers.request_id_parameter()},
        },
    }
    return access.guarded(found, config)


def _of_models(models: Mapping[str, Model | None], max_rows: int) -> Json:
    found: Json = {}
    for name, model in models.items():
        if model:
            found |= model_components(name, model, max_rows)
    return found


def _predictions(models: Mapping[str, Model | None], default: str | None) -> Json:
    which = f"the default model ({default})" if default else "the default model"
    # No 404 at /predict: a default that does not exist yet is a service that is not ready.
    found = {"/predict": _predict("predict", which, models.get(default or ""), unknown=False)}
    for name, model in models.items():
        path = f"/models/{name}"
        found[f"{path}/predict"] = _predict(
            f"predict_{name}", f"the current version of {name}", model
        )
        if model:
            version = model.manifest.version
            which = f"version {version} of {name}"
            # No name of a model has a capital letter, so that no other operation is called so.
            found[f"{path}/versions/{version}/predict"] = _predict(
                f"predictVersion_{name}", which, model
            )
    return found


def _labelled(states: Mapping[str, State]) -> Json:
    """An address for each label, which is that of a model like the current one or of any."""
    found: Json = {}
    for name, state in sorted(states.items()):
        for label, labelled in sorted(state.labels.items()):
            which, model = f"the version of {name} labelled {label}", labelled.model
            alike = model and state.model and _takes(model) == _takes(state.model)
            described = _predict(f"predictLabel_{name}.{label}", which, model if alike else None)
            if model:
                described["post"]["description"] = _about_model(which, model)
            found[f"/models/{name}/labels/{label}/predict"] = described
    return found


def _takes(model: Model) -> list[tuple[object, ...]]:
    """What decides which requests are right, apart from what training saw."""
    return [(f.name, f.kind, f.missing, f.categories) for f in model.schema.features]


def _predict(operation: str, which: str, model: Model | None, *, unknown: bool = True) -> Json:
    statuses = (400, *((404,) if unknown else ()), 406, 413, 415)
    component = model.manifest.name if model else None
    body: Json = {"schema": ref(f"{component}_Request" if component else "AnyRequest")}
    answered: Json = {"schema": ref(f"{component}_Answer" if component else "AnyAnswer")}
    if model:
        body["examples"], answered["examples"] = examples(model)
    extra = {"X-Model": ref("Model", "headers")}
    success = answers.answer("The prediction.", {"application/json": answered}, extra)
    found = _operation(operation, "predictions", f"Predict with {which}", success, statuses)
    found |= {
        "description": _about_model(which, model),
        "requestBody": {"required": True, "content": {"application/json": body}},
    }
    return {"post": found}


def _about_model(which: str, model: Model | None) -> str:
    if model is None:
        return f"Answers 503 for now: {which} cannot be used. What it takes is not known."
    target, names = model.schema.target, model.schema.names
    unit = f" in {code(target.unit)}" if target.unit else ""
    return f"Predicts {code(target.name)}{unit} from {codes(names)}."


def _others() -> Json:
    found = {
        path: {
            "get": _operation(operation, tag, summary, _json(summary, component), statuses),
        }
        for path, operation, tag, summary, component, statuses in _READ_ONLY
    }
    text = {"schema": {"type": "string"}}
    found["/"]["get"]["responses"]["200"]["content"]["text/html"] = text
    found["/metrics"] = _metrics()
    found["/models/{name}"] = _model()
    return found


def _metrics() -> Json:
    text = {"schema": {"type": "string"}}
    content = {"text/plain": text, "application/openmetrics-text": text}
    success = answers.answer("Counts and durations of all workers.", content)
    return {"get": _operation("showMetrics", "operations", "Metrics for Prometheus", success, ())}


def _model() -> Json:
    success = _json("Schema, metrics, training, versions and an example.", "ModelDescription")
    found = _operation("showModel", "models", "All that is known of a model", success, (404, 406))
    name = {"name": "name", "in": "path", "required": True, "schema": answers.NAME}
    found["parameters"].append(name)
    return {"get": found}


def _json(description: str, component: str) -> Json:
    return answers.json_answer(description, ref(component))


def _operation(
    operation: str, tag: str, summary: str, success: Json, statuses: Iterable[int]
) -> Json:
    return {
        "operationId": operation,
        "tags": [tag],
        "summary": summary,
        "parameters": [ref("RequestId", "parameters")],
        "responses": {"200": success} | refused_by(*statuses),
    }
