"""Which requests are plain: such as ask for a prediction and need no interpretation.

A POST to a current model, JSON, with a declared length. What else a request may say, Flask reads.
"""

from dataclasses import dataclass
from typing import Any

from app.http.proxies import FORWARDED
from app.security import NOTHING, Sender, Shown
from app.store import is_name
from app.tls import certified

Environ = dict[str, Any]

_DEFAULT = "/predict"
_BEGIN, _END = "/models/", "/predict"
_NAMED = "/models/<name>/predict"
_ACCEPTED = frozenset((None, "*/*", "application/json", "application/json, */*;q=0.5"))

SENDER = "ordinate.sender"
"""Of a WSGI environment: the far end of the connection, with its client certificate."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A plain prediction request, as far as its head tells.

    Attributes:
        name: of the model; None for the default one.
        route: the template that its path matches.
        path: as sent.
        length: of its body, in bytes.
        request_id: what the caller calls it, sane or not, if anything.
        shown: the credentials in its head.
        forwarded: where proxies say that it comes from.
    """

    name: str | None
    route: str
    path: str
    length: int
    request_id: str | None
    shown: Shown = NOTHING
    forwarded: str | None = None


def plain_request(environ: Environ) -> Plain | None:
    """What a WSGI environment asks for, None where there is more to it."""
    if (
        environ["REQUEST_METHOD"] != "POST"
        or environ.get("CONTENT_TYPE") != "application/json"
        or environ.get("HTTP_ACCEPT") not in _ACCEPTED
        or "HTTP_CONTENT_ENCODING" in environ
        or "%" in (environ.get("RAW_URI") or environ.get("REQUEST_URI", ""))
    ):
        return None
    path, text = environ["PATH_INFO"], environ.get("CONTENT_LENGTH", "")
    name = None if path == _DEFAULT else _model_name(path)
    if (name is None and path != _DEFAULT) or not _is_length(text):
        return None
    route = _DEFAULT if name is None else _NAMED
    caller_id = environ.get("HTTP_X_REQUEST_ID")
    forwarded = environ.get(FORWARDED)
    return Plain(name, route, path, int(text), caller_id, shown_in(environ), forwarded)


def shown_in(environ: Environ) -> Shown:
    """The credentials in the head of a request."""
    return Shown(environ.get("HTTP_AUTHORIZATION"), environ.get("HTTP_X_API_KEY"))


def sender_of(environ: Environ) -> Sender:
    """Where a request comes from: our worker says it by itself, any server gives an address.

    gunicorn's other workers give the socket, which has the client's certificate.
    """
    found: Sender | None = environ.get(SENDER)
    if found is not None:
        return found
    decoded = getattr(environ.get("gunicorn.socket"), "getpeercert", None)
    return Sender(environ.get("REMOTE_ADDR", ""), certified(decoded() if decoded else None))


def _model_name(path: str) -> str | None:
    """The name in /models/NAME/predict; None where the path is another, or no name."""
    if not (path.startswith(_BEGIN) and path.endswith(_END)):
        return None
    name = path[len(_BEGIN) : -len(_END)]
    return name if is_name(name) else None


def _is_length(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16
