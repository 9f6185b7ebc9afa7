"""Follows the models folder: what is to answer for a name, as the disk says and can be trusted."""

from collections.abc import Collection, Iterator, Mapping

from app.errors import BrokenModel, NotReady, UnknownModel
from app.model import Model
from app.registry.accepted import Accepted
from app.registry.lineup import Lineup
from app.registry.loading import Loader
from app.registry.state import Labelled, State
from app.store import CANARY, SHADOW, History, Label, Pointer, Reader, settled


class Follower:
    """Makes the next state of a name of the last one. Not to be used by two threads at a time.

    It holds one model a name beside those in the state: the last that was asked for by number. That
    one goes before another is loaded.

    Args:
        reader: of the models folder.
        loader: of its versions.
        shares: of the unversioned requests, from 0 to 1, that go to the canary, by name.
        accepted: remembers the pointers by which it must not go back.
    """

    def __init__(
        self, reader: Reader, loader: Loader, shares: Mapping[str, float], accepted: Accepted
    ) -> None:
        self._reader = reader
        self._loader = loader
        self._shares = shares
        self._accepted = accepted
        self._pointers: dict[str, Pointer] = {}
        self._by_number: dict[str, Model] = {}

    def next_state(self, name: str, before: State | None) -> State:
        """What is to answer for a name from now on; `before` itself where nothing has changed."""
        model, problem = self._current(name, before)
        labels = self._labels(name, before, model)
        if before and (before.model, before.problem, before.labels) == (model, problem, labels):
            return before
        if model is None:
            return State(name, None, problem, labels)
        canary, shadow = (
            labels[each].model if each in labels else None for each in (CANARY, SHADOW)
        )
        share = self._shares.get(name, 0.0)
        lineup = Lineup(model, canary if share else None, share, shadow)
        same = before is not None and before.model is model
        led_to = before.led_to if before and same else self._led_to(name, model.manifest.version)
        return State(name, model, problem, labels, lineup, led_to)

    def numbered(self, name: str, version: int) -> Model:
        """A version that neither is current nor has a label, loaded when it is first asked for.

        Raises:
            UnknownModel: there is no such version.
            NotReady: it cannot be used.
        """
        found = self.find_numbered(name, version)
        if found is None:
            self._by_number.pop(name, None)  # before the next is loaded beside the current
            try:
                found = self._loader.load(name, version)
            except BrokenModel as error:
                self._loader.refuse(name, version, error.message)
                why = f"version {version} of {name!r} cannot be used: {error.message}"
                raise NotReady(why) from error
            self._by_number[name] = found
        return found

    def find_numbered(self, name: str, version: int) -> Model | None:
        """This version, if it was the last of its name to be asked for by number."""
        found = self._by_number.get(name)
        return found if found and found.manifest.version == version else None

    def forget(self, names: Collection[str]) -> None:
        """Let go of numbered versions that were removed, and of what models that are gone had."""
        for name, model in list(self._by_number.items()):
            if name not in names or model.manifest.version not in self._reader.versions(name):
                del self._by_number[name]
        for name in self._pointers.keys() - set(names):
            del self._pointers[name]
        self._loader.forget(names)

    def _current(self, name: str, before: State | None) -> tuple[Model | None, str | None]:
        """What answers for a name, and why it is not the current version."""
        try:
            pointer = self._reader.current(name)
            self._accepted.check(name, pointer)
        except (UnknownModel, BrokenModel) as error:
            self._loader.refuse(name, None, error.message)
            return self._fall_back(name, None, error.message, before)
        if before and before.problem is None and self._pointers.get(name) == pointer:
            return before.model, None
        try:
            model = self._take_current(name, pointer, before)
        except (UnknownModel, BrokenModel) as error:
            self._loader.refuse(name, pointer.version, error.message)
            problem = f"version {pointer.version} is refused: {error.message}"
            return self._fall_back(name, pointer.version, problem, before)
        self._pointers[name] = pointer
        self._loader.approve(name, None)
        return model, None

    def _take_current(self, name: str, pointer: Pointer, before: State | None) -> Model:
        """The version that a pointer names, which is remembered as accepted from then on."""
        model = self._take(name, pointer.version, pointer.manifest_sha256, before)
        try:
            self._accepted.accept(name, pointer)
        except BrokenModel:
            self._by_number[name] = model  # the next look tries again, and need not load it again
            raise
        return model

    def _take(
        self,
        name: str,
        version: int,
        sha256: str,
        before: State | None,
        although: str | None = None,
    ) -> Model:
        """A version with this manifest: one that is in memory already, or a fresh one."""
        held = before.find(version) if before else None
        held = held or self.find_numbered(name, version)
        if held and held.manifest_sha256 == sha256:
            return held
        self._by_number.pop(name, None)  # so that there are never three
        return self._loader.load(name, version, sha256, although)

    def _fall_back(
        self, name: str, refused: int | None, problem: str, before: State | None
    ) -> tuple[Model | None, str]:
        """Keep what served so far; at a start, the last one that served and can be trusted.

        Where a pointer was accepted before, what it names is the only version that can be trusted.
        """
        try:
            known = self._accepted.highest(name)
        except BrokenModel:  # nothing is taken that could be older than what is not known
            return before.model if before else None, problem
        if before and before.model and (not known or known.names(before.model.manifest_sha256)):
            return before.model, problem
        for version in [known.version] if known else self._earlier(name, refused):
            try:
                if known:
                    model = self._take(name, version, known.manifest_sha256, before, problem)
                else:
                    model = self._loader.load(name, version, although=problem)
            except (UnknownModel, BrokenModel) as error:
                self._loader.refuse(name, version, error.message)
            else:
                return model, problem
        return None, problem

    def _earlier(self, name: str, refused: int | None) -> Iterator[int]:
        """What was current before, the last first; then older versions, the newest first.

        Of those the ones that never were more than candidates come last.
        """
        versions, candidates = self._reader.versions(name), []
        ordered = dict.fromkeys(reversed(self._led_to(name, refused)))
        served = [version for version in ordered if version in versions and version != refused]
        yield from served
        for version in reversed(versions):
            if version in served or (refused is not None and version >= refused):
                continue
            if self._is_candidate(name, version):
                candidates.append(version)
            else:
                yield version
        yield from candidates

    def _is_candidate(self, name: str, version: int) -> bool:
        try:
            return self._reader.manifest(name, version).description.is_candidate
        except (UnknownModel, BrokenModel):  # as loading it will tell
            return False

    def _led_to(self, name: str, version: int | None) -> History:
        """What was current up to this version; all of it where no version is said."""
        try:
            history = self._reader.history(name)
        except BrokenModel:
            return ()
        return history if version is None else settled(history, version)

    def _labels(
        self, name: str, before: State | None, current: Model | None
    ) -> Mapping[str, Labelled]:
        """What each label stands for; one that cannot be read keeps what it stood for."""
        known = before.labels if before else {}
        try:
            said = self._reader.labels(name)
        except (BrokenModel, UnknownModel) as error:
            self._loader.refuse(name, "labels", error.message)
            return known
        held = State(name, current, None, known)
        return {label: self._labelled(label, each, held) for label, each in said.items()}

    def _labelled(self, label: str, said: Label | BrokenModel, held: State) -> Labelled:
        before = held.labels.get(label)
        try:
            if isinstance(said, BrokenModel):
                raise said
            model = self._take(held.name, said.version, said.manifest_sha256, held)
        except (UnknownModel, BrokenModel) as error:
            self._loader.refuse(held.name, label, f"label {label}: {error.message}")
            version = said.version if isinstance(said, Label) else None
            return Labelled(version, before.model if before else None, error.message)
        self._loader.approve(held.name, label)
        return Labelled(said.version, model)
