"""Where signatures are required, labels, activations and rollbacks keep to what was signed."""

import shutil
from pathlib import Path

import pytest

from app.errors import NotReady, StoreError
from app.registry import Accepted, ChangeEvent, LoadEvent, Registry
from app.registry.places import Shared
from app.signing import Keys
from app.store import Keeper, Label, Reader
from tests.support.keys import signer, trusting
from tests.support.models import publish


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    mine = signer(tmp_path_factory.mktemp("keys"), "mine")
    return trusting(mine, signs=mine)


@pytest.fixture
def keeper(tmp_path: Path, keys: Keys) -> Keeper:
    """A models folder with signed versions 1 to 3 of `tiny`, and who looks after it."""
    for seed in (1, 2, 3):
        publish(tmp_path / "models", seed=seed, keys=keys)
    return Keeper(tmp_path / "models", keys)


class Worker:
    """A registry that requires signatures, with what it told."""

    def __init__(self, root: Path, keys: Keys, accepted: Accepted) -> None:
        self.told: list[LoadEvent] = []
        self.changed: list[ChangeEvent] = []
        self.registry = Registry(
            Reader(root, Keys(keys.trusted, required=True)),
            None,
            self.told.append,
            shares={"tiny": 1.0},
            changed=self.changed.append,
            accepted=accepted,
        )
        self.registry.refresh()

    def refresh(self) -> list[LoadEvent]:
        """Refresh, and give what was told meanwhile."""
        before = len(self.told)
        self.registry.refresh()
        return self.told[before:]

    @property
    def label(self) -> str:
        return self.registry.get().label


@pytest.fixture
def accepted() -> Accepted:
    return Accepted(Shared())


@pytest.fixture
def worker(keeper: Keeper, keys: Keys, accepted: Accepted) -> Worker:
    return Worker(keeper.root, keys, accepted)


def unsign(keeper: Keeper, version: int) -> None:
    (keeper.root / "tiny" / str(version) / "manifest.sig").unlink()


def write_label(keeper: Keeper, label: str, version: int) -> None:
    """Write the file of a label as anybody can who may write to the folder."""
    sha256 = Reader(keeper.root).open("tiny", version).manifest_sha256
    place = keeper.root / "tiny" / f"label-{label}"
    place.write_bytes(Label(label, version, sha256).to_bytes())


@pytest.mark.parametrize("label", ["proven", "canary", "shadow"])
def test_an_unsigned_version_that_a_label_names_is_refused_and_told(
    keeper: Keeper, worker: Worker, label: str
) -> None:
    unsign(keeper, 1)
    write_label(keeper, label, 1)

    told = worker.refresh()

    assert [(event.outcome, event.version) for event in told] == [("refused", None)]
    assert told[0].reason is not None
    assert told[0].reason.startswith(f"label {label}: it is not signed, and this service requires")
    with pytest.raises(NotReady, match="it is not signed, and this service requires it"):
        worker.registry.labelled("tiny", label)
    lineup = worker.registry.lineup("tiny")
    assert (lineup.is_alone, lineup.model.label) == (True, "tiny/3")


def test_a_label_that_moves_to_an_unsigned_version_keeps_what_it_stood_for(
    keeper: Keeper, worker: Worker
) -> None:
    keeper.set_label("tiny", "canary", 2)
    worker.refresh()

    unsign(keeper, 1)
    write_label(keeper, "canary", 1)
    worker.refresh()

    assert worker.registry.labelled("tiny", "canary").label == "tiny/2"


def test_a_label_that_is_moved_to_an_older_signed_version_is_followed_as_documented(
    keeper: Keeper, worker: Worker
) -> None:
    write_label(keeper, "canary", 1)

    worker.refresh()

    assert worker.registry.labelled("tiny", "canary").signed.state == "verified"
    assert worker.registry.labelled("tiny", "canary").label == "tiny/1"


def test_an_unsigned_version_is_neither_labelled_nor_made_current(keeper: Keeper) -> None:
    unsign(keeper, 1)

    with pytest.raises(StoreError, match="tiny/1 cannot be used: it is not signed"):
        keeper.set_label("tiny", "proven", 1)
    with pytest.raises(StoreError, match="tiny/1 cannot be used: it is not signed"):
        keeper.activate("tiny", 1)


def test_an_activation_and_a_rollback_are_signed_with_higher_sequences_and_followed(
    keeper: Keeper, worker: Worker
) -> None:
    sequences = [keeper.current("tiny").sequence or 0]

    keeper.activate("tiny", 1)
    sequences.append(keeper.current("tiny").sequence or 0)
    worker.refresh()
    keeper.rollback("tiny")
    sequences.append(keeper.current("tiny").sequence or 0)
    worker.refresh()

    assert sequences == sorted(set(sequences))
    assert worker.label == "tiny/3"
    assert worker.changed == [
        ChangeEvent("tiny", "swapped", 1, 3),
        ChangeEvent("tiny", "rolled back", 3, 1),
    ]


def test_without_the_key_current_is_not_moved_and_the_history_stays(
    keeper: Keeper, keys: Keys
) -> None:
    before = {path.name: path.read_bytes() for path in keeper.root.glob("tiny/*[a-z]")}
    keyless = Keeper(keeper.root, Keys(keys.trusted, required=True))

    with pytest.raises(StoreError, match="no key to sign with: set ORDINATE_SIGNING_KEY"):
        keyless.activate("tiny", 1)
    with pytest.raises(StoreError, match="no key to sign with: set ORDINATE_SIGNING_KEY"):
        keyless.rollback("tiny")

    assert {path.name: path.read_bytes() for path in keeper.root.glob("tiny/*[a-z]")} == before


def test_a_start_does_not_follow_the_history_below_what_was_accepted(
    keeper: Keeper, keys: Keys, worker: Worker, accepted: Accepted
) -> None:
    (keeper.root / "tiny" / "current").write_bytes(b"damaged")
    shutil.rmtree(keeper.root / "tiny" / "3")

    late = Worker(keeper.root, keys, accepted)
    worker.refresh()

    with pytest.raises(NotReady, match="its current file is damaged"):
        late.registry.get()
    assert worker.label == "tiny/3"


def test_a_version_that_cannot_be_remembered_is_loaded_once_and_served_when_it_can_be(
    keeper: Keeper, keys: Keys
) -> None:
    place = Full()
    worker = Worker(keeper.root, keys, Accepted(place))
    place.full = True
    publish(keeper.root, seed=4, keys=keys)

    told = [worker.refresh() for _ in range(3)]

    assert [[(e.version, e.outcome) for e in each] for each in told] == [
        [(4, "loaded"), (4, "refused")],
        [],
        [],
    ]
    assert worker.label == "tiny/3"

    place.full = False
    worker.refresh()

    assert worker.label == "tiny/4"
    assert worker.registry.states()["tiny"].problem is None


class Full(Shared):
    """A place that has no room from some time on."""

    full = False

    def write(self, name: str, data: bytes) -> None:
        """Remember, unless it is full."""
        if self.full:
            raise OSError(28, "No space left on device")
        super().write(name, data)
