"""A registry that is watched: what it tells, and what it answers by default."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic

from app.registry import ChangeEvent, Gap, LoadEvent, Registry
from app.store import Reader


class Watched:
    """A registry over a folder, with what it told."""

    def __init__(
        self,
        root: Path,
        default: str | None = None,
        *,
        shares: Mapping[str, float] | None = None,
        reader: Reader | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.told: list[LoadEvent] = []
        self.changed: list[ChangeEvent] = []
        self.missing: list[Sequence[Gap]] = []
        self.registry = Registry(
            reader or Reader(root),
            default,
            self.told.append,
            shares=shares,
            changed=self.changed.append,
            missing=self.missing.append,
            clock=clock,
        )

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
