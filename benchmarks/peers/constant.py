"""A bare WSGI callable with a constant answer: the floor of whatever server calls it."""

from collections.abc import Callable, Iterable
from typing import Any

BODY = b'{"y":152.13348416289597}'
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]


class Constant:
    """The callable, which tells our worker that it is brief."""

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Read the request, answer the same as ever."""
        environ["wsgi.input"].read()
        start_response("200 OK", HEADERS)
        return [BODY]

    @property
    def wsgi_app(self) -> "Constant":
        """Where our worker looks for what is brief."""
        return self

    def is_brief(self, _path: str) -> bool:
        """Whether it is: always."""
        return True


application = Constant()


def untold(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The same by a callable of which nothing is known."""
    return application(environ, start_response)
