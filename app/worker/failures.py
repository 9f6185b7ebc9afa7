"""What the event loop says of an error that nobody handled, without the bytes that led to it."""

import asyncio
from collections.abc import Callable
from typing import Any

from app.telemetry import Log


def teller(log: Log) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """A handler for an event loop: its own one prints what a callback was given, data included."""

    def tell(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None:
            log.event("error", "an event was not handled", reason=context.get("message"))
        else:
            log.failure("an event was not handled", error)

    return tell
