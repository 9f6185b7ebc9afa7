"""``GET /``: where a visitor finds out what is served here and how to ask it."""

from flask import Blueprint, Response, render_template, request

from app.http.models import example, json_response, summary
from app.http.service import service
from app.version import __version__

blueprint = Blueprint("page", __name__, template_folder="templates")

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@blueprint.get("/")
def index() -> Response:
    """The models and a curl line for each, as JSON or, for who prefers it, as a page."""
    served = service()
    models = []
    for _, state in sorted(served.registry.states().items()):
        entry = summary(served, state)
        if state.model:
            entry["curl"] = example(state.model, request.host_url)["curl"]
        models.append(entry)
    best = request.accept_mimetypes.best_match(["application/json", "text/html"])
    if best != "text/html":
        return json_response({"service": "ordinate", "version": __version__, "models": models})
    page = render_template("index.html", models=models, version=__version__)
    response = Response(page, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY
    return response
