"""What administrators ask of a running service, with a key of their own scope."""

from typing import Any

from flask import Blueprint, Response

from app.casts import Secret, written
from app.config import SETTINGS, Config, Setting
from app.http.models import json_response
from app.http.service import service
from app.masking import mask
from app.security import utc

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

_HIDDEN = "***"


@blueprint.get("/keys")
def show_keys() -> Response:
    """Every API key: name, id, rights, dates, its last use; never the key or its digest."""
    ring = service().keys
    listed = ring.listed() if ring is not None else []
    keys = [
        record.described() | {"last_used": None if last is None else utc(last)}
        for record, last in sorted(listed, key=lambda each: (each[0].name, each[0].created))
    ]
    return json_response({"keys": keys})


@blueprint.get("/settings")
def show_settings() -> Response:
    """Every setting and the value that it has here; those of secrets are masked."""
    config = service().config
    return json_response({"settings": [_described(each, config) for each in SETTINGS]})


def _described(setting: Setting, config: Config) -> dict[str, Any]:
    return {
        "variable": setting.variable,
        "value": _shown(getattr(config, setting.field), setting),
        "purpose": setting.purpose,
    }


def _shown(value: Any, setting: Setting) -> str | int | bool | None:
    if value is None or isinstance(value, bool | int):
        return value
    if setting.secret or isinstance(value, Secret):
        return _HIDDEN
    return mask(written(value)) or None
