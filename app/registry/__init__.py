"""What is being served now: one immutable model a name, replaced by reference."""

from app.registry.accepted import Accepted
from app.registry.serving import KEPT_VERSIONS, Registry
from app.registry.states import LoadEvent, State

__all__ = ["KEPT_VERSIONS", "Accepted", "LoadEvent", "Registry", "State"]
