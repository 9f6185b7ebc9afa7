"""Whether a service answers what the model itself predicts."""

from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException

from benchmarks.services import Service
from benchmarks.work import Work

FLOAT32 = 1e-5
"""How far an answer may be from the model's, relative to the larger of it and 1: as far as answers
go that went through float32."""


class Unfit(Exception):
    """A service that does not start, or answers wrongly."""


def ask(port: int, request: bytes) -> bytes | None:
    """The body of the answer to a whole request, None where there is none with status 200."""
    path, body = parted(request)
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        found = answer.read()
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
    return found if answer.status == 200 else None


def parted(request: bytes) -> tuple[str, bytes]:
    """The path and the body of a whole request."""
    head, _, body = request.partition(b"\r\n\r\n")
    return head.split()[1].decode(), body


def check(service: Service, port: int, work: Work) -> float:
    """Compare every answer with the model's own; returns the largest error. Raises Unfit."""
    errors = []
    for batch, expected in zip(work.batches, work.expected, strict=True):
        body = ask(port, service.dialect.request(batch, bare=work.bare))
        if body is None:
            raise Unfit(f"{service.name} refuses {work.name}")
        errors.append(check_one(service, expected, body))
    return max(errors)


def check_one(service: Service, expected: Sequence[float], body: bytes) -> float:
    """How wrong one answer is. Raises Unfit where float32 does not explain it."""
    if service.dialect.read is None:
        return 0.0
    answers = service.dialect.read(body)
    if len(answers) != len(expected):
        raise Unfit(f"{service.name} gave {len(answers)} answers to {len(expected)} rows")
    error = relative_error(answers, expected)
    if not error < FLOAT32:
        raise Unfit(f"{service.name} answers wrongly, by {error:.1e} of the value")
    return error


def relative_error(answers: Sequence[float], expected: Sequence[float]) -> float:
    """The largest difference, relative to the larger of the right answer and 1."""
    pairs = zip(answers, expected, strict=True)
    return max(abs(y - right) / max(1.0, abs(right)) for y, right in pairs)
