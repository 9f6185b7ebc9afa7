"""What is being served now: one immutable model a name, replaced by reference."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from app.errors import BrokenModel, NotReady, StoreError, UnknownModel
from app.model import Model, load_model
from app.store import Pointer, Reader

KEPT_VERSIONS = 8
"""How many versions that were asked for by number stay loaded beside the current ones."""


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one name: the model that answers, and why it is not the current version.

    Attributes:
        name: of the model.
        model: what answers; None when nothing can.
        problem: one sentence when the current version is not what answers.
    """

    name: str
    model: Model | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class LoadEvent:
    """A version was looked at: ``loaded``, ``refused`` (with the reason) or ``gone``."""

    name: str
    version: int | None
    outcome: str
    reason: str | None = None


class Registry:
    """The models that are served: reading is one look-up, `refresh` replaces the dictionary.

    Args:
        reader: of the models folder.
        default: name answered where a request names none; None for what the folder says.
        tell: called with each LoadEvent.
    """

    def __init__(
        self, reader: Reader, default: str | None, tell: Callable[[LoadEvent], None]
    ) -> None:
        self._reader = reader
        self._chosen = default
        self._tell = tell
        self._states: Mapping[str, State] = {}
        self._default: str | None = default
        self._pointers: dict[str, Pointer] = {}
        self._by_number: dict[tuple[str, int], Model | BrokenModel] = {}
        self._loading = threading.Lock()
        self._loaded = False
        self.problem: str | None = None

    @property
    def default(self) -> str | None:
        """Name of the model that is answered where a request names none."""
        self._load_once()
        return self._default

    def states(self) -> Mapping[str, State]:
        """What is known of each name, an immutable snapshot."""
        self._load_once()
        return self._states

    def versions(self, name: str) -> list[int]:
        """Numbers of a model's published versions, rising."""
        return self._reader.versions(name)

    def get(self, name: str | None = None, version: int | None = None) -> Model:
        """The model that answers a request.

        Raises:
            UnknownModel: the name or the version does not exist.
            NotReady: it exists and cannot be used, or nothing was named and there is no default.
        """
        self._load_once()
        if name is None:
            name = self._default
            if name is None:
                raise NotReady(
                    self.problem or "there is no default model: publish one with train.py"
                )
        state = self._states.get(name)
        if state is None:
            return self._absent(name)
        if version is not None and (state.model is None or state.model.manifest.version != version):
            return self._numbered(name, version)
        if state.model is None:
            raise NotReady(f"the model {name!r} cannot be used: {state.problem}")
        return state.model

    def refresh(self) -> None:
        """Look at the models folder and take over what has changed. Never raises for a model."""
        with self._loading:
            self._refresh()

    def _load_once(self) -> None:
        if not self._loaded:
            with self._loading:
                if not self._loaded:
                    self._refresh()

    def _refresh(self) -> None:
        try:
            names = self._reader.names()
            self.problem = None
        except StoreError as error:
            names, self.problem = list(self._states), error.message
        states = {name: self._state(name) for name in names}
        for name in self._states.keys() - states.keys():
            self._pointers.pop(name, None)
            self._tell(LoadEvent(name, None, "gone"))
        self._forget_removed(names)
        self._states = states
        self._default = self._chosen or self._reader.default() or _only(states)
        self._loaded = True

    def _absent(self, name: str) -> Model:
        if name == self._default:
            text = (
                f"there is no model named {name!r}, which is the default: publish it with train.py"
            )
            raise NotReady(self.problem or text)
        raise UnknownModel(f"there is no model named {name!r}")

    def _state(self, name: str) -> State:
        before = self._states.get(name)
        try:
            pointer = self._reader.current(name)
        except (UnknownModel, BrokenModel) as error:
            return self._fall_back(name, None, error.message, before)
        if before and before.problem is None and self._pointers.get(name) == pointer:
            return before
        try:
            model = self._current_model(name, pointer)
        except (UnknownModel, BrokenModel) as error:
            self._tell(LoadEvent(name, pointer.version, "refused", error.message))
            problem = f"version {pointer.version} is refused: {error.message}"
            return self._fall_back(name, pointer.version, problem, before)
        self._pointers[name] = pointer
        self._tell(LoadEvent(name, pointer.version, "loaded"))
        return State(name, model, None)

    def _current_model(self, name: str, pointer: Pointer) -> Model:
        model = load_model(self._reader, name, pointer.version)
        if model.manifest_sha256 != pointer.manifest_sha256:
            raise BrokenModel("its manifest is not the one that was made current")
        return model

    def _fall_back(
        self, name: str, refused: int | None, problem: str, before: State | None
    ) -> State:
        """Keep what served so far; at a start, the newest older version that can be trusted."""
        if before and before.model:
            return State(name, before.model, problem)
        for version in reversed(self._reader.versions(name)):
            if refused is not None and version >= refused:
                continue
            try:
                model = load_model(self._reader, name, version)
            except (UnknownModel, BrokenModel) as error:
                self._tell(LoadEvent(name, version, "refused", error.message))
                continue
            self._tell(LoadEvent(name, version, "loaded", problem))
            return State(name, model, problem)
        return State(name, None, problem)

    def _numbered(self, name: str, version: int) -> Model:
        """A version that is not the current one, loaded when it is first asked for."""
        key = (name, version)
        with self._loading:
            found = self._by_number.pop(key, None)
            if found is None:
                try:
                    found = load_model(self._reader, name, version)
                    self._tell(LoadEvent(name, version, "loaded"))
                except BrokenModel as error:
                    found = error
                    self._tell(LoadEvent(name, version, "refused", error.message))
            self._by_number[key] = found  # last in, so that the first is the longest unused
            while len(self._by_number) > KEPT_VERSIONS:
                del self._by_number[next(iter(self._by_number))]
        if isinstance(found, BrokenModel):
            raise NotReady(f"version {version} of {name!r} cannot be used: {found.message}")
        return found

    def _forget_removed(self, names: Iterable[str]) -> None:
        kept = {(name, version) for name in names for version in self._reader.versions(name)}
        for key in self._by_number.keys() - kept:
            del self._by_number[key]


def _only(states: Mapping[str, State]) -> str | None:
    """The name of the only model, the natural default where the folder does not say."""
    return next(iter(states)) if len(states) == 1 else None
