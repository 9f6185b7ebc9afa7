"""What keys and quotas change in the document: who may ask what, how a key is shown."""

from app.config import Config
from app.http.openapi import answers
from app.http.openapi.inputs import Json, ref
from app.http.openapi.refusals import REFUSALS, refused_by
from app.security import Scope, doors

_REFUSED, _TOO_MANY = (401, 403), 429
_OPEN = frozenset(("/healthz", "/readyz"))

SCHEMES: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, or a JSON web token where the service takes them.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "An API key.",
    },
}

_ADMIN = (
    ("/admin/keys", "listKeys", "All API keys, without what they are", "KeyList"),
    ("/admin/settings", "listSettings", "All settings, secrets masked", "SettingList"),
)

_TIME: Json = {"type": "string", "format": "date-time"}
_MAYBE_TIME: Json = {"type": ["string", "null"], "format": "date-time"}
_TEXT: Json = {"type": "string", "minLength": 1}

_KEY: Json = {
    "type": "object",
    "properties": {
        "id": _TEXT,
        "name": _TEXT,
        "scopes": {"type": "array", "items": {"enum": [each.value for each in Scope]}},
        "models": {
            "type": ["array", "null"],
            "description": "Those that it is for; null for all.",
            "items": answers.NAME,
        },
        "created": _TIME,
        "expires": _MAYBE_TIME,
        "last_used": _MAYBE_TIME,
    },
    "required": ["id", "name", "scopes", "models", "created", "expires", "last_used"],
}
_SETTING: Json = {
    "type": "object",
    "properties": {
        "variable": _TEXT,
        "value": {"type": ["string", "integer", "boolean", "null"]},
        "purpose": _TEXT,
    },
    "required": ["variable", "value", "purpose"],
}


def guarded(document: Json, config: Config) -> Json:
    """The document of a service with these settings, made of that of one without a guard."""
    refused: tuple[int, ...] = ()
    if config.auth:
        _ask_for_keys(document)
        refused = (*_REFUSED, _TOO_MANY)
    elif config.limit_address_requests or config.limit_address_rows:
        refused = (_TOO_MANY,)
    is_open = _OPEN | {path for path, scope in doors(config).items() if scope is None}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if path not in is_open:
                for status in refused:
                    component = REFUSALS[status][0]
                    operation["responses"][str(status)] = ref(component, "responses")
            elif config.auth:
                operation["security"] = []
    return document


def _ask_for_keys(document: Json) -> None:
    document["tags"].append({"name": "administration", "description": "With an admin's key."})
    document["paths"] |= {path: {"get": _admin(*rest)} for path, *rest in _ADMIN}
    document["components"]["securitySchemes"] = SCHEMES
    document["components"]["schemas"] |= {
        "KeyList": _list("keys", _KEY),
        "SettingList": _list("settings", _SETTING),
    }
    document["security"] = [{name: []} for name in SCHEMES]


def _admin(operation: str, summary: str, component: str) -> Json:
    return {
        "operationId": operation,
        "tags": ["administration"],
        "summary": summary,
        "parameters": [ref("RequestId", "parameters")],
        "responses": {"200": answers.json_answer(summary, ref(component))} | refused_by(),
    }


def _list(name: str, entry: Json) -> Json:
    return {
        "type": "object",
        "properties": {name: {"type": "array", "items": entry}},
        "required": [name],
    }
