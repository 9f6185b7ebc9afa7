"""Every error that Ordinate raises on purpose.

::

    OrdinateError                a plain sentence for its reader, and an HTTP status
    ├── ConfigError              a setting is wrong: stops the start
    ├── StoreError               the models folder cannot be read or written as asked
    │   └── Overtaken            another version became current meanwhile
    ├── DataError                a table cannot be trained on (train.py only)
    ├── BrokenModel              a published version that must not be used     503
    ├── NotReady                 there is nothing to predict with              503
    ├── Overloaded               there is more to do than can be done in time  503
    │   └── DeadlinePassed       the answer was not there in time              503
    ├── UnknownModel             no such model, or no such version             404
    └── RequestError             the request is at fault                       400
        ├── InvalidInput         its values, each problem located              400
        ├── NotAcceptable        its Accept header cannot be met               406
        ├── TooSlow              it was not here in time                       408
        ├── TooLarge             its body or its rows are over the limit       413
        ├── UnsupportedMedia     its Content-Type or Content-Encoding          415
        ├── Unauthorized         it shows no key that is known                 401
        ├── Forbidden            its key is for something else                 403
        └── TooManyRequests      its quota is used up                          429

The message of each is shown to clients or on a terminal as it is: one sentence, without a path,
a module name or a stack trace of this service in those that reach HTTP.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

Headers = tuple[tuple[str, str], ...]

SHOWN_PROBLEMS = 20
"""How many problems of one request are listed; the rest are only counted."""


class OrdinateError(Exception):
    """Base of the tree.

    Attributes:
        status: HTTP status that answers this error, a plain int.
        retry_after: seconds after which trying again makes sense, if it does.
        headers: further headers of the answer.
    """

    status: ClassVar[int] = 500
    retry_after: int | None = None
    headers: Headers = ()

    @property
    def message(self) -> str:
        """The sentence for the reader."""
        return str(self)


class ConfigError(OrdinateError):
    """A setting has a value that is not allowed."""


class StoreError(OrdinateError):
    """The models folder cannot be read or written as asked."""


class Overtaken(StoreError):
    """Another version became current than the one that a new one was to take the place of."""


class DataError(OrdinateError):
    """A table cannot be trained on as asked."""


class BrokenModel(OrdinateError):
    """A published version is damaged, incompatible or does not reproduce its golden rows."""

    status = 503
    retry_after = 30


class NotReady(OrdinateError):
    """There is no usable model to predict with yet."""

    status = 503
    retry_after = 5


class Overloaded(OrdinateError):
    """There is more to do than can be done in time."""

    status = 503
    retry_after = 1


class DeadlinePassed(Overloaded):
    """The answer was not there in time."""


class UnknownModel(OrdinateError):
    """The named model or version does not exist."""

    status = 404


class RequestError(OrdinateError):
    """The request is at fault, as a whole."""

    status = 400


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one value of a request.

    Attributes:
        row: index of the row from 0, or None for the request as a whole.
        feature: name of the feature, or None for the row as a whole.
        problem: what is wrong and what is allowed, without a subject.
        got: the value as received, shortened where it is long.
    """

    row: int | None
    feature: str | None
    problem: str
    got: Any = None


class InvalidInput(RequestError):
    """Values of a request are wrong; all problems at once.

    Attributes:
        details: the first `SHOWN_PROBLEMS` problems.
        total: how many there are altogether.
    """

    def __init__(self, message: str, details: Sequence[Problem] = (), total: int = 0) -> None:
        super().__init__(message)
        self.details = tuple(details)
        self.total = max(total, len(self.details))


class TooSlow(RequestError):
    """A request was not here in time."""

    status = 408


class NotAcceptable(RequestError):
    """No answer can be given in a form that the client accepts."""

    status = 406


class TooLarge(RequestError):
    """The body or the number of rows is over its limit."""

    status = 413


class UnsupportedMedia(RequestError):
    """The body is in a form that is not read here."""

    status = 415


class Unauthorized(RequestError):
    """The request shows no key that is known. All are answered alike, whatever was wrong."""

    status = 401
    headers = (("WWW-Authenticate", 'Bearer realm="ordinate"'),)

    def __init__(self) -> None:
        super().__init__(
            "a key is needed here: send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'"
        )


class Forbidden(RequestError):
    """The key is for something else.

    Args:
        message: what it is not for.
        key: its name, for the log.
        headers: that tell of the quotas.
    """

    status = 403

    def __init__(self, message: str, key: str | None = None, headers: Headers = ()) -> None:
        super().__init__(message)
        self.key, self.headers = key, headers


class TooManyRequests(RequestError):
    """A quota is used up.

    Args:
        message: whose, and of what.
        retry_after: seconds until as much as was asked for is allowed.
        headers: that tell of the quotas.
    """

    status = 429

    def __init__(self, message: str, retry_after: int, headers: Headers = ()) -> None:
        super().__init__(message)
        self.retry_after, self.headers = retry_after, headers
