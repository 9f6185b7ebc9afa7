"""What does not depend on a model: the answers to everything else, and to what goes wrong."""

from typing import Any

from app.errors import SHOWN_PROBLEMS
from app.http.openapi.inputs import ANY_ANSWER, ANY_REQUEST, Json, ref

NAME: Json = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$"}

_REQUEST_ID: Json = {
    "description": "The caller's own `X-Request-Id`, or a fresh one; the log has it as well.",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
}
_ALLOW: Json = {
    "description": "The methods that it takes.",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
}
_MODEL: Json = {
    "description": "The model that answered, as `NAME/VERSION`.",
    "required": True,
    "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,62}/[1-9][0-9]{0,8}$"},
}
_WWW_AUTHENTICATE: Json = {
    "description": "How to show a key.",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
}
_RETRY_AFTER: Json = {
    "description": "Seconds after which trying again makes sense.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}


def headers() -> Json:
    """The components of headers."""
    return {
        "RequestId": _REQUEST_ID,
        "Allow": _ALLOW,
        "Model": _MODEL,
        "RetryAfter": _RETRY_AFTER,
        "WwwAuthenticate": _WWW_AUTHENTICATE,
    }


def request_id_parameter() -> Json:
    """The header by which a caller names its request; any text is taken, and not all is used."""
    return {
        "name": "X-Request-Id",
        "in": "header",
        "description": "Names this request in answer and log: up to 128 letters, digits, `.`, `_` "
        "and `-`. Anything else is ignored, and an id is made up.",
        "schema": {"type": "string"},
    }


def answer(description: str, content: Json, extra: Json | None = None) -> Json:
    """One response, with the header that all have."""
    named = {"X-Request-Id": ref("RequestId", "headers")} | (extra or {})
    return {"description": description, "headers": named, "content": content}


def json_answer(description: str, schema: Json) -> Json:
    """A response of JSON."""
    return answer(description, {"application/json": {"schema": schema}})


def schemas() -> Json:
    """The components of schemas that do not depend on a model."""
    return {
        "Error": _object(error={"type": "string", "minLength": 1}, details=_DETAILS),
        "Problem": _PROBLEM,
        "AnyRequest": ANY_REQUEST,
        "AnyAnswer": ANY_ANSWER,
        "Health": _object(status={"const": "ok"}),
        "Readiness": _object(
            ready={"const": True},
            models={
                "type": "object",
                "description": "What answers for each name, as `NAME/VERSION`.",
                "additionalProperties": {"type": ["string", "null"]},
            },
        ),
        "Versions": _object(version={"type": "string"}, libraries=_TEXTS, rows_read_by=_READER),
        "Index": _object(
            service={"const": "ordinate"}, version={"type": "string"}, models=_array("ModelEntry")
        ),
        "ModelEntry": {"allOf": [ref("ModelSummary"), _CURL]},
        "ModelList": _object(models=_array("ModelSummary")),
        "ModelSummary": _SUMMARY,
        "ModelDescription": {"allOf": [ref("ModelSummary"), _DESCRIPTION]},
        "LabelledVersion": _LABELLED,
        "Feature": _FEATURE,
        "Target": _TARGET,
        "Example": _object(
            request=ref("AnyRequest"),
            request_by_name=ref("AnyRequest"),
            response=ref("AnyAnswer"),
            curl={"type": "string"},
        ),
        "Document": {"type": "object", "required": ["openapi", "info", "paths"]},
    }


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _array(component: str) -> Json:
    return {"type": "array", "items": ref(component)}


_CURL: Json = {
    "type": "object",
    "properties": {"curl": {"type": "string", "description": "A line to paste."}},
}

_TEXTS: Json = {"type": "object", "additionalProperties": {"type": "string"}}
_READER: Json = {"enum": ["compiled code", "Python"]}

_DETAILS: Json = _array("Problem") | {
    "description": f"The first {SHOWN_PROBLEMS} problems, if the values of the request are wrong.",
    "maxItems": SHOWN_PROBLEMS,
}

_PROBLEM: Json = _object(
    row={"type": ["integer", "null"], "minimum": 0, "description": "From 0; null for the request."},
    feature={"type": ["string", "null"], "description": "Its name; null for the whole row."},
    problem={"type": "string", "minLength": 1, "description": "What is wrong and what is allowed."},
    got={
        "type": ["string", "number", "boolean", "null"],
        "description": "What was received; long text is cut, lists and objects are described.",
    },
)

_SUMMARY: Json = _object(
    name=NAME,
    version={"type": ["integer", "null"], "minimum": 1, "description": "The one that answers."},
    ready={"type": "boolean", "description": "Whether it can predict."},
    default={"type": "boolean", "description": "Whether it answers at `/predict`."},
    problem={
        "type": ["string", "null"],
        "description": "Why the current version is not what answers.",
    },
)

_LABELLED: Json = _object(
    version={"type": ["integer", "null"], "minimum": 1, "description": "Null if not known."},
    ready={"type": "boolean", "description": "Whether it can predict."},
    problem={"type": ["string", "null"], "description": "Why that version is not what answers."},
)

_FEATURE: Json = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "type": {"enum": ["number", "boolean", "category"]},
        "missing": {"type": "boolean", "description": "Whether null is taken."},
        "minimum": {"type": ["number", "null"], "description": "Least value in training."},
        "maximum": {"type": ["number", "null"], "description": "Largest value in training."},
        "categories": {"type": "array", "items": {"type": "string"}},
        "unit": {"type": "string"},
    },
    "required": ["name", "type", "missing"],
}

_TARGET: Json = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "minimum": {"type": "number", "description": "Least value in training."},
        "maximum": {"type": "number", "description": "Largest value in training."},
        "unit": {"type": "string"},
    },
    "required": ["name", "minimum", "maximum"],
}

_OPEN: dict[str, Any] = {"type": "object"}

_DESCRIPTION: Json = {
    "type": "object",
    "description": "Where `ready` is false, only `versions` and `labels` are there.",
    "properties": {
        "versions": {"type": "array", "items": {"type": "integer", "minimum": 1}},
        "labels": {
            "type": "object",
            "description": "What each label stands for.",
            "additionalProperties": ref("LabelledVersion"),
        },
        "created": {"type": "string", "format": "date-time"},
        "estimator": {"type": "string"},
        "schema": _object(features=_array("Feature"), target=ref("Target")),
        "metrics": _OPEN
        | {
            "description": "Cross-validated figures: `pooled` over all rows; `folds`, their `mean` "
            "and their spread `std`."
        },
        "training": _OPEN | {"description": "Source, rows and what was done to the columns."},
        "linear": {"type": ["object", "null"], "description": "Parameters of a linear model."},
        "promotion": {
            "type": ["object", "null"],
            "description": "How it was decided whether to make the version current.",
        },
        "libraries": _TEXTS,
        "signature": _object(
            state={"enum": ["unsigned", "verified", "unknown key", "not checked"]},
            key={"type": ["string", "null"], "description": "Id of the key that signed it."},
        ),
        "example": ref("Example"),
    },
    "required": ["versions", "labels"],
}
