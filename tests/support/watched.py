"""A registry that is watched: what it tells, and what it answers by default."""

from pathlib import Path

from app.registry import LoadEvent, Registry
from app.store import Reader


class Watched:
    """A registry over a folder, with what it told."""

    def __init__(self, root: Path, default: str | None = None) -> None:
        self.told: list[LoadEvent] = []
        self.registry = Registry(Reader(root), default, self.told.append)

    def refresh(self) -> list[LoadEvent]:
        """Refresh, and give what was told meanwhile."""
        before = len(self.told)
        self.registry.refresh()
        return self.told[before:]

    @property
    def label(self) -> str:
        """Of the model that is answered by default."""
        return self.registry.get().label

    @property
    def problem(self) -> str | None:
        """Of `tiny`."""
        return self.registry.states()["tiny"].problem
