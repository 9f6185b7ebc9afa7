"""What the service answers instead of what it was asked for."""

from collections.abc import Mapping

from app.http.openapi.answers import answer
from app.http.openapi.inputs import Json, ref

REFUSALS: Mapping[int, tuple[str, str]] = {
    400: ("Invalid", "The body is not JSON, or values in it are wrong: `details` says which."),
    401: ("Unauthorized", "No key or token was shown that is known here."),
    403: ("Forbidden", "The key is not for this address, or not for this model."),
    404: ("Unknown", "There is no such model, or no such version of it."),
    405: ("WrongMethod", "This address does not take this method."),
    406: ("NotAcceptable", "The `Accept` header rules out `application/json`."),
    413: ("TooLarge", "The body or the number of rows is over its limit."),
    415: (
        "WrongType",
        "The body is not declared as `application/json` in UTF-8, or its coding is unknown.",
    ),
    429: ("TooMany", "A quota is used up."),
    503: (
        "NotReady",
        "There is no usable model, or more to do than can be done in time: `error` says which.",
    ),
}
"""Status -> the component that describes it and what it means."""

ANYWHERE = (405, 503)
"""What any address may answer."""


def refused_by(*statuses: int) -> Json:
    """References to the responses with these statuses, and with those of any address."""
    named = sorted({*statuses, *ANYWHERE})
    return {str(status): ref(REFUSALS[status][0], "responses") for status in named}


def refusals() -> Json:
    """The components of responses: one for each status but 200."""
    return {name: _refusal(status, text) for status, (name, text) in REFUSALS.items()}


def _refusal(status: int, text: str) -> Json:
    extra: Json = {}
    if status == 405:
        extra = {"Allow": ref("Allow", "headers")}
    if status == 401:
        extra = {"WWW-Authenticate": ref("WwwAuthenticate", "headers")}
    if status in (429, 503):
        extra = {"Retry-After": ref("RetryAfter", "headers")}
    return answer(text, {"application/json": {"schema": ref("Error")}}, extra)
