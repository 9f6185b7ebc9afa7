"""``GET /``: where a visitor finds out what is served here and how to ask it."""

from base64 import b64encode
from hashlib import sha256

from flask import Blueprint, Response, render_template, request
from markupsafe import Markup

from app.http.models import asked_at, example, json_response, summary
from app.http.service import service
from app.http.visible import states
from app.version import __version__

blueprint = Blueprint("page", __name__, template_folder="templates")

_STYLE = """
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
  h2, p { overflow-wrap: anywhere; }
  pre { overflow-x: auto; padding: .75rem 1rem; border: 1px solid #8886; border-radius: .4rem; }
  .problem { color: #b3261e; }
  @media (prefers-color-scheme: dark) { .problem { color: #ff8a80; } }
"""
# The page loads nothing and runs nothing; this one style is allowed by its digest.
_DIGEST = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@blueprint.get("/")
def index() -> Response:
    """The models and a curl line for each, as JSON or, for who prefers it, as a page."""
    served = service()
    models = []
    for _, state in sorted(states().items()):
        entry = summary(served, state)
        if state.model:
            entry["curl"] = example(served, state.model, asked_at())["curl"]
        models.append(entry)
    best = request.accept_mimetypes.best_match(["application/json", "text/html"])
    if best != "text/html":
        content = {"service": "ordinate", "version": __version__, "models": models}
        response = json_response(content)
    else:
        style = Markup(_STYLE)  # noqa: S704 - a constant of this file
        page = render_template("index.html", models=models, version=__version__, style=style)
        response = Response(page, mimetype="text/html")
        response.headers["Content-Security-Policy"] = _POLICY
    response.vary.add("Accept")
    return response
