"""What is being served now: immutable models by name and label, replaced by reference."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.errors import NotReady, OrdinateError, StoreError, UnknownModel
from app.model import Model
from app.registry.accepted import Accepted
from app.registry.changes import ChangeEvent, changes
from app.registry.following import Follower
from app.registry.gaps import Gap, gaps
from app.registry.lineup import Lineup
from app.registry.loading import Loader, LoadEvent
from app.registry.state import State
from app.runtimes import Choice
from app.store import Reader


@dataclass(frozen=True, slots=True)
class _View:
    """All that a request may see, replaced as a whole."""

    states: Mapping[str, State]
    default: str | None
    problem: str | None = None


class Registry:
    """The models that are served: reading is one look-up, `refresh` replaces what is looked at.

    A worker holds one model a name, one more while it is loaded or because it was asked for by its
    number, and those with a label.

    Args:
        reader: of the models folder.
        default: name answered where a request names none; None for what the folder says.
        tell: called with each LoadEvent.
        choice: of the runtime.
        shares: of the unversioned requests, from 0 to 1, that go to the canary, by name.
        changed: called with each ChangeEvent.
        missing: called with all that is missing, when that is not what it was at the last look.
        accepted: remembers the pointers by which it must not go back; None for none.
        clock: seconds that only rise.
    """

    def __init__(  # noqa: PLR0913 - what is chosen, and who is told
        self,
        reader: Reader,
        default: str | None,
        tell: Callable[[LoadEvent], None],
        choice: Choice = "auto",
        *,
        shares: Mapping[str, float] | None = None,
        changed: Callable[[ChangeEvent], None] = lambda _: None,
        missing: Callable[[Sequence[Gap]], None] = lambda _: None,
        accepted: Accepted | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._chosen = default
        self._tell, self._changed, self._missing = tell, changed, missing
        self._shares = shares or {}
        self._gaps: tuple[Gap, ...] = ()
        loader = Loader(reader, choice, tell, clock)
        self._follower = Follower(reader, loader, self._shares, accepted or Accepted())
        self._view = _View({}, default)
        self._loading = threading.Lock()
        self._loaded = False

    @property
    def default(self) -> str | None:
        """Name of the model that is answered where a request names none."""
        return self._current_view().default

    def states(self) -> Mapping[str, State]:
        """What is known of each name, an immutable snapshot."""
        return self._current_view().states

    def peek(self, name: str | None) -> Lineup | None:
        """What answers for this name now, or for the default model, if anything does."""
        view = self._view if self._loaded else self._current_view()
        state = view.states.get(name or view.default or "")
        return state.lineup if state else None

    def versions(self, name: str) -> list[int]:
        """Numbers of a model's published versions, rising."""
        return self._reader.versions(name)

    def lineup(self, name: str | None = None) -> Lineup:
        """What answers a request that names no version.

        Args:
            name: of the model; None for the default one, empty for a default that there was not.

        Raises:
            UnknownModel: there is no such name.
            NotReady: it cannot be used, or nothing was named and there is no default.
        """
        state = self._find(name)
        if state.lineup is None:
            raise NotReady(f"the model {state.name!r} cannot be used: {state.problem}")
        return state.lineup

    def get(self, name: str | None = None, version: int | None = None) -> Model:
        """A version of a model, without one the current.

        Raises:
            UnknownModel: the name or the version does not exist.
            NotReady: it exists and cannot be used, or nothing was named and there is no default.
        """
        if version is None:
            return self.lineup(name).model
        state = self._find(name)
        return state.find(version) or self._numbered(state.name, version)

    def labelled(self, name: str, label: str) -> Model:
        """The version that a label stands for.

        Raises:
            UnknownModel: there is no such name, or it has no such label.
            NotReady: the version cannot be used.
        """
        found = self._find(name).labels.get(label)
        if found is None:
            raise UnknownModel(f"there is no version of {name!r} that is labelled {label[:80]!r}")
        if found.model is None:
            raise NotReady(f"the version of {name!r} labelled {label!r}: {found.problem}")
        return found.model

    def refresh(self) -> None:
        """Look at the models folder and take over what has changed.

        Never raises for a damaged model. Where one leads to an error that nobody thought of,
        that is raised in the end: it stays as it was, and all others are taken over.
        """
        with self._loading:
            self._refresh()

    def _current_view(self) -> _View:
        if not self._loaded:
            with self._loading:
                if not self._loaded:
                    self._refresh()
        return self._view

    def _find(self, name: str | None) -> State:
        view = self._current_view()
        if name is None:
            name = view.default or ""
        state = view.states.get(name)
        if state is None:
            raise _absent(name, view)
        return state

    def _refresh(self) -> None:
        before = self._view.states
        try:
            names, problem = self._reader.names(), None
        except StoreError as error:
            names, problem = list(before), error.message
        # A first version is there before it is proven and made current, which is no damage.
        names = [each for each in names if each in before or not self._reader.is_unfinished(each)]
        states, errors = self._next_states(names)
        for name in before.keys() - states.keys():
            self._tell(LoadEvent(name, None, "gone"))
        self._follower.forget(names)
        self._view = _View(states, self._next_default(states), problem)
        self._loaded = True
        for name in before.keys() & states.keys():
            self._tell_changes(before[name], states[name])
        self._tell_gaps()
        if errors:
            raise errors[0]

    def _next_states(self, names: Sequence[str]) -> tuple[dict[str, State], list[Exception]]:
        states, errors, before = {}, [], self._view.states
        for name in names:
            try:
                states[name] = self._follower.next_state(name, before.get(name))
            except Exception as error:  # noqa: BLE001 - raised when the others had their turn
                errors.append(error)
                unknown = State(name, None, f"looking at it failed: {type(error).__name__}")
                states[name] = before.get(name, unknown)
        return states, errors

    def _next_default(self, states: Mapping[str, State]) -> str | None:
        """What the settings or the folder say; a damaged folder does not undo what was said."""
        if self._chosen:
            return self._chosen
        said, before = self._reader.default(), self._view.default
        if said not in states and before in states:
            return before
        # The only model is the natural default where the folder does not say.
        return said or (next(iter(states)) if len(states) == 1 else None)

    def _numbered(self, name: str, version: int) -> Model:
        found = self._follower.find_numbered(name, version)
        if found is None:
            with self._loading:
                found = self._follower.numbered(name, version)
        return found

    def _tell_changes(self, before: State, after: State) -> None:
        if before is not after:
            for event in changes(before, after):
                self._changed(event)

    def _tell_gaps(self) -> None:
        unanswered = None
        try:
            self.lineup()
        except NotReady as error:
            unanswered = error.message
        found = tuple(gaps(self._view.problem, unanswered, self._shares, self._view.states))
        if found != self._gaps:
            self._gaps = found
            self._missing(found)


def _absent(name: str, view: _View) -> OrdinateError:
    """What to raise for a name that no model has."""
    if not name:
        return NotReady(view.problem or "there is no default model: publish one with train.py")
    if name != view.default:
        return UnknownModel(f"there is no model named {name!r}")
    why = f"there is no model named {name!r}, which is the default: publish it with train.py"
    return NotReady(view.problem or why)
