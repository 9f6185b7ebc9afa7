"""Who may ask what, and how often."""

from app.security.api_keys import NewKey
from app.security.callers import ANYBODY, LOCAL, NOTHING, Caller, Scope, Sender, Shown
from app.security.guard import FREE, Destination, Guard, Ticket, doors
from app.security.key_file import KeyFile
from app.security.key_ring import KeyRing
from app.security.records import utc

__all__ = [
    "ANYBODY",
    "FREE",
    "LOCAL",
    "NOTHING",
    "Caller",
    "Destination",
    "Guard",
    "KeyFile",
    "KeyRing",
    "NewKey",
    "Scope",
    "Sender",
    "Shown",
    "Ticket",
    "doors",
    "utc",
]
