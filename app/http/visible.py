"""What a caller may know of: a key that is limited to models sees no others."""

from collections.abc import Mapping

from flask import g

from app.http.service import service
from app.registry import State
from app.security import ANYBODY, Caller


def caller() -> Caller:
    """Who asks; anybody where no key was asked for."""
    ticket = g.get("ticket")
    return ticket.caller if ticket else ANYBODY


def states() -> Mapping[str, State]:
    """The models that the caller may know of, by name."""
    allowed, found = caller().models, service().registry.states()
    if allowed is None:
        return found
    return {name: state for name, state in found.items() if name in allowed}


def default() -> str | None:
    """The name of the default model, if the caller may know of it."""
    allowed, name = caller().models, service().registry.default
    return name if allowed is None or name in allowed else None
