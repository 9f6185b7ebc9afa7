"""``GET /openapi.json``: what is served at this moment, for programs that make clients of it.

The document is built anew for each request, so that it cannot be older than the models it tells of;
for a few models of some dozen features that takes about a millisecond.
"""

from flask import Blueprint, Response

from app.http.models import json_response
from app.http.openapi.document import document
from app.http.service import service
from app.http.visible import default, states

blueprint = Blueprint("openapi", __name__)


@blueprint.get("/openapi.json")
def show_document() -> Response:
    """The OpenAPI 3.1 document of this service with the models it has now."""
    return json_response(document(service().config, states(), default()))
