"""Who may ask what, and how often."""

from app.security.callers import ANYBODY, LOCAL, NOTHING, Caller, Scope, Sender, Shown
from app.security.guard import FREE, Guard, Ticket

__all__ = [
    "ANYBODY",
    "FREE",
    "LOCAL",
    "NOTHING",
    "Caller",
    "Guard",
    "Scope",
    "Sender",
    "Shown",
    "Ticket",
]
