"""The models that are served, and how a look at the folder replaces them."""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import product

from app.errors import BrokenModel, NotReady, OrdinateError, StoreError, UnknownModel
from app.model import Model, load_model
from app.registry.accepted import Accepted
from app.registry.states import LoadEvent, State
from app.runtimes import Choice
from app.store import Pointer, Reader

KEPT_VERSIONS = 8
"""How many versions that were asked for by number stay loaded beside the current ones."""


@dataclass(frozen=True, slots=True)
class _View:
    """All that a request may see, replaced as a whole."""

    states: Mapping[str, State]
    default: str | None
    problem: str | None = None


class Registry:
    """The models that are served: reading is one look-up, `refresh` replaces what is looked at.

    Args:
        reader: of the models folder.
        default: name answered where a request names none; None for what the folder says.
        tell: called with each LoadEvent.
        choice: of the runtime.
        accepted: remembers the pointers by which it must not go back; None for none.
    """

    def __init__(
        self,
        reader: Reader,
        default: str | None,
        tell: Callable[[LoadEvent], None],
        choice: Choice = "auto",
        accepted: Accepted | None = None,
    ) -> None:
        self._reader = reader
        self._accepted = accepted or Accepted()
        self._choice: Choice = choice
        self._chosen = default
        self._tell = tell
        self._view = _View({}, default)
        self._pointers: dict[str, Pointer] = {}
        self._by_number: dict[tuple[str, int], Model | str] = {}
        self._refused: dict[tuple[str, int | None], str] = {}
        self._loading = threading.Lock()
        self._loading_by_number = threading.Lock()
        self._loaded = False

    @property
    def default(self) -> str | None:
        """Name of the model that is answered where a request names none."""
        return self._current_view().default

    def states(self) -> Mapping[str, State]:
        """What is known of each name, an immutable snapshot."""
        return self._current_view().states

    def peek(self, name: str | None) -> Model | None:
        """What answers for this name now, or for the default model, if anything does."""
        state = (view := self._current_view()).states.get(name or view.default or "")
        return state.model if state else None

    def versions(self, name: str) -> list[int]:
        """Numbers of a model's published versions, rising."""
        return self._reader.versions(name)

    def get(self, name: str | None = None, version: int | None = None) -> Model:
        """The model that answers a request.

        Raises:
            UnknownModel: the name or the version does not exist.
            NotReady: it exists and cannot be used, or nothing was named and there is no default.
        """
        view = self._current_view()
        if name is None:
            name = view.default
        if name is None:
            raise NotReady(view.problem or "there is no default model: publish one with train.py")
        state = view.states.get(name)
        if state is None:
            raise _absent(name, view)
        if version is not None and (state.model is None or state.model.manifest.version != version):
            return self._numbered(name, version)
        if state.model is None:
            raise NotReady(f"the model {name!r} cannot be used: {state.problem}")
        return state.model

    def refresh(self) -> None:
        """Look at the models folder and take over what has changed. Never raises for a model."""
        with self._loading:
            self._refresh()

    def _current_view(self) -> _View:
        if not self._loaded:
            with self._loading:
                if not self._loaded:
                    self._refresh()
        return self._view

    def _refresh(self) -> None:
        before = self._view.states
        try:
            names, problem = self._reader.names(), None
        except StoreError as error:
            names, problem = list(before), error.message
        states = {name: self._state(name) for name in names}
        for name in before.keys() - states.keys():
            self._pointers.pop(name, None)
            self._tell(LoadEvent(name, None, "gone"))
        self._forget(names)
        self._view = _View(states, self._next_default(states), problem)
        self._loaded = True

    def _next_default(self, states: Mapping[str, State]) -> str | None:
        """What the settings or the folder say; a damaged folder does not undo what was said."""
        if self._chosen:
            return self._chosen
        said, before = self._reader.default(), self._view.default
        if said not in states and before in states:
            return before
        # The only model is the natural default where the folder does not say.
        return said or (next(iter(states)) if len(states) == 1 else None)

    def _state(self, name: str) -> State:
        before = self._view.states.get(name)
        try:
            pointer = self._reader.current(name)
            self._accepted.check(name, pointer)
        except (UnknownModel, BrokenModel) as error:
            self._refuse(name, None, error.message)
            return self._fall_back(name, None, error.message, before)
        if before and before.problem is None and self._pointers.get(name) == pointer:
            return before
        try:
            model = self._current_model(name, pointer)
            self._accepted.accept(name, pointer)
        except (UnknownModel, BrokenModel) as error:
            self._refuse(name, pointer.version, error.message)
            problem = f"version {pointer.version} is refused: {error.message}"
            return self._fall_back(name, pointer.version, problem, before)
        self._pointers[name] = pointer
        self._refused.pop((name, None), None)
        self._accept(name, pointer.version)
        return State(name, model, None)

    def _current_model(self, name: str, pointer: Pointer) -> Model:
        model = self._load(name, pointer.version)
        if model.manifest_sha256 != pointer.manifest_sha256:
            raise BrokenModel("its manifest is not the one that was made current")
        return model

    def _load(self, name: str, version: int) -> Model:
        return load_model(self._reader, name, version, self._choice)

    def _fall_back(
        self, name: str, refused: int | None, problem: str, before: State | None
    ) -> State:
        """Keep what served so far; at a start, the newest older version, candidates last.

        Where a pointer was accepted before, what it names is the only version that can be trusted.
        """
        try:
            known = self._accepted.highest(name)
        except BrokenModel:  # nothing is taken that could be older than what is not known
            return State(name, before.model if before else None, problem)
        if before and before.model and (not known or known.names(before.model.manifest_sha256)):
            return State(name, before.model, problem)
        older = [v for v in self._reader.versions(name) if refused is None or v < refused]
        tries = product((False, True), reversed(older))
        for candidate, version in [(False, known.version)] if known else tries:
            try:
                model = self._current_model(name, known) if known else self._load(name, version)
            except (UnknownModel, BrokenModel) as error:
                self._refuse(name, version, error.message)
                continue
            if known or model.manifest.description.is_candidate == candidate:
                self._accept(name, version, problem)
                return State(name, model, problem)
        return State(name, None, problem)

    def _numbered(self, name: str, version: int) -> Model:
        """A version that is not the current one, loaded when it is first asked for."""
        key = (name, version)
        with self._loading_by_number:
            found = self._by_number.pop(key, None) or self._load_numbered(name, version)
            self._by_number[key] = found  # last in, so that the first is the longest unused
            while len(self._by_number) > KEPT_VERSIONS:
                del self._by_number[next(iter(self._by_number))]
        if isinstance(found, str):
            raise NotReady(f"version {version} of {name!r} cannot be used: {found}")
        return found

    def _load_numbered(self, name: str, version: int) -> Model | str:
        """The version, or why it must not be used."""
        try:
            model = self._load(name, version)
        except BrokenModel as error:
            self._refuse(name, version, error.message)
            return error.message
        self._accept(name, version)
        return model

    def _accept(self, name: str, version: int, although: str | None = None) -> None:
        self._refused.pop((name, version), None)
        self._tell(LoadEvent(name, version, "loaded", although))

    def _refuse(self, name: str, version: int | None, why: str) -> None:
        """Tell of it, but once: what is broken is looked at again with each refresh."""
        if self._refused.get((name, version)) != why:
            self._refused[name, version] = why
            self._tell(LoadEvent(name, version, "refused", why))

    def _forget(self, names: Collection[str]) -> None:
        """Let go of numbered versions that were removed or can have been repaired since."""
        kept = {(name, version) for name in names for version in self._reader.versions(name)}
        with self._loading_by_number:
            self._by_number = {
                key: found
                for key, found in self._by_number.items()
                if key in kept and isinstance(found, Model)
            }
            self._refused = {key: why for key, why in self._refused.items() if key[0] in names}


def _absent(name: str, view: _View) -> OrdinateError:
    """What to raise for a name that no model has."""
    if name != view.default:
        return UnknownModel(f"there is no model named {name!r}")
    why = f"there is no model named {name!r}, which is the default: publish it with train.py"
    return NotReady(view.problem or why)
