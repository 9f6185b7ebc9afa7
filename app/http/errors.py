"""One place where errors become answers."""

from http import HTTPStatus

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from app.errors import (
    NotAcceptable,
    NotReady,
    OrdinateError,
    RequestError,
    TooLarge,
    UnsupportedMedia,
)
from app.http.service import service
from app.protocols import native

_JSON = "application/json"

_SENTENCES = {
    400: "the request could not be read",
    404: "there is nothing at this address; GET / lists what there is",
    405: "this address does not take this method; the Allow header names those it takes",
    417: "this expectation cannot be met",
}

_REASONS = {
    TooLarge: "too_large",
    UnsupportedMedia: "media_type",
    NotAcceptable: "not_acceptable",
    NotReady: "not_ready",
}


def init_app(app: Flask) -> None:
    """Answer every error of this application in the native shape."""
    app.register_error_handler(OrdinateError, _ours)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _unexpected)


def _ours(error: OrdinateError) -> Response:
    if isinstance(error, RequestError | NotReady):
        service().metrics.rejected(_REASONS.get(type(error), "invalid_input"))
    response = Response(native.encode_error(error), error.status, mimetype=_JSON)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    sentence = _SENTENCES.get(status) or HTTPStatus(status).phrase.lower()
    response = Response(native.error_body(sentence), status, mimetype=_JSON)
    if status == 405 and (allowed := getattr(error, "valid_methods", None)):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _unexpected(error: Exception) -> Response:
    """Log what nobody thought of in full; tell the client one sentence."""
    service().log.exception("a request failed unexpectedly", error)
    body = native.error_body("the service failed on this request; its log says why")
    return Response(body, 500, mimetype=_JSON)
