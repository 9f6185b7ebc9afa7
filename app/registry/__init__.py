"""What is being served now: immutable models by name and label, replaced by reference."""

from app.registry.accepted import Accepted
from app.registry.changes import ChangeEvent
from app.registry.gaps import Gap
from app.registry.lineup import Lineup
from app.registry.loading import LoadEvent
from app.registry.serving import Registry
from app.registry.state import Labelled, State

__all__ = ["Accepted", "ChangeEvent", "Gap", "Labelled", "Lineup", "LoadEvent", "Registry", "State"]
