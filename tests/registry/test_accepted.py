"""A service never goes back below the pointer that it has accepted, in any of its processes."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.config import Config
from app.errors import BrokenModel, NotReady
from app.registry import Accepted, LoadEvent, Registry
from app.registry.places import Kept, Place, Shared, Single
from app.signing import Keys, Signature
from app.store import Pointer, Reader, Store
from tests.support.keys import signer, trusting
from tests.support.models import publish

SIGNATURE = Signature("0" * 16, "0" * 128)
PROCESSES, TIMES = 4, 50


class Worker:
    """A registry over a folder, as one worker of a service has it."""

    def __init__(self, root: Path, keys: Keys, accepted: Accepted) -> None:
        self.told: list[LoadEvent] = []
        reader = Reader(root, Keys(keys.trusted, keys.required))
        self.registry = Registry(reader, None, self.told.append, accepted=accepted)
        self.registry.refresh()

    @property
    def label(self) -> str:
        return self.registry.get().label

    def refresh(self) -> list[tuple[int | None, str]]:
        """Refresh, and give what was told meanwhile."""
        before = len(self.told)
        self.registry.refresh()
        return [(event.version, event.outcome) for event in self.told[before:]]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    mine = signer(tmp_path_factory.mktemp("keys"), "mine")
    return trusting(mine, signs=mine)


@pytest.fixture
def root(tmp_path: Path, keys: Keys) -> Path:
    """A models folder with a signed version 1 of `tiny`, the pointer to which is kept aside."""
    publish(tmp_path / "models", seed=1, keys=keys)
    shutil.copy(tmp_path / "models" / "tiny" / "current", tmp_path / "old")
    return tmp_path / "models"


def put_back(root: Path) -> None:
    """Replay the pointer to version 1."""
    shutil.copy(root.parent / "old", root / "tiny" / "current")


@pytest.fixture(params=["shared", "single", "kept"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each of the places where what was accepted is remembered."""
    (tmp_path / "state").mkdir()
    made: dict[str, Callable[[], Place]] = {"shared": Shared, "single": Single}
    return made.get(request.param, lambda: Kept(tmp_path / "state"))()


def pointer(sequence: int, version: int = 1) -> Pointer:
    return Pointer(version, "0" * 64, sequence, SIGNATURE)


def test_a_pointer_that_was_put_back_is_refused_once_and_the_later_version_serves(
    root: Path, keys: Keys, place: Place
) -> None:
    worker = Worker(root, keys, Accepted(place))
    publish(root, seed=2, keys=keys)
    worker.refresh()

    put_back(root)

    assert worker.refresh() == [(None, "refused")]
    assert worker.refresh() == []
    assert worker.label == "tiny/2"
    problem = worker.registry.states()["tiny"].problem
    assert problem is not None
    assert problem.startswith("its current file was put back: its sequence is ")
    assert "version 2 with the sequence" in problem


def test_a_later_pointer_to_an_older_version_is_a_decision_and_is_followed(
    root: Path, keys: Keys, place: Place
) -> None:
    worker = Worker(root, keys, Accepted(place))
    publish(root, seed=2, keys=keys)
    worker.refresh()

    Store(root, keys).remove("tiny", 2, force=True)

    assert worker.refresh() == [(1, "loaded")]
    assert worker.label == "tiny/1"
    assert worker.registry.states()["tiny"].problem is None


def test_a_worker_that_never_saw_the_later_version_does_not_serve_the_older_one(
    root: Path, keys: Keys, place: Place
) -> None:
    """As one that the master forks anew, with the models of when the service started."""
    one, other = (Worker(root, keys, Accepted(place)) for _ in range(2))
    publish(root, seed=2, keys=keys)
    one.refresh()
    put_back(root)

    other.refresh()

    assert other.label == "tiny/2"
    assert other.refresh() == []


def test_with_the_accepted_version_gone_such_a_worker_answers_nothing_rather_than_the_older(
    root: Path, keys: Keys, place: Place
) -> None:
    one, other = (Worker(root, keys, Accepted(place)) for _ in range(2))
    publish(root, seed=2, keys=keys)
    one.refresh()
    put_back(root)
    shutil.rmtree(root / "tiny" / "2")

    one.refresh()
    other.refresh()

    assert one.label == "tiny/2"
    with pytest.raises(NotReady, match="was put back"):
        other.registry.get()


def test_a_start_with_a_broken_pointer_serves_what_was_accepted_before(
    root: Path, keys: Keys, place: Place
) -> None:
    publish(root, seed=2, keys=keys)
    Worker(root, keys, Accepted(place))
    publish(root, seed=3, keys=keys)
    (root / "tiny" / "current").write_bytes(b"damaged")

    assert Worker(root, keys, Accepted(place)).label == "tiny/2"


def test_a_version_that_was_refused_does_not_count_as_accepted(
    root: Path, keys: Keys, place: Place
) -> None:
    publish(root, seed=2, keys=keys)
    (root / "tiny" / "2" / "model.joblib").write_bytes(b"damaged")

    worker = Worker(root, keys, Accepted(place))

    assert worker.label == "tiny/1"
    assert Accepted(place).highest("tiny") is None


def test_what_is_kept_outlasts_a_restart(root: Path, keys: Keys, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    publish(root, seed=2, keys=keys)
    Worker(root, keys, Accepted(Kept(tmp_path / "state")))
    put_back(root)

    restarted = Worker(root, keys, Accepted(Kept(tmp_path / "state")))

    assert restarted.label == "tiny/2"


def test_without_a_folder_a_restart_forgets_as_the_documentation_says(
    root: Path, keys: Keys
) -> None:
    publish(root, seed=2, keys=keys)
    Worker(root, keys, Accepted(Shared()))
    put_back(root)

    assert Worker(root, keys, Accepted(Shared())).label == "tiny/1"


def test_a_model_that_was_removed_and_published_again_is_served(
    root: Path, keys: Keys, place: Place
) -> None:
    worker = Worker(root, keys, Accepted(place))
    Store(root, keys).remove("tiny", 1, force=True)
    worker.refresh()

    publish(root, seed=5, keys=keys)

    assert worker.refresh() == [(2, "loaded")]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        pytest.param(lambda state: (state / "tiny.current").write_bytes(b"x"), "damaged", id="bad"),
        pytest.param(lambda state: (state / "tiny.current").mkdir(), "not a regular", id="folder"),
        pytest.param(lambda state: state.rename(state.with_name("gone")), "No such", id="gone"),
    ],
)
def test_a_start_that_cannot_know_what_was_accepted_serves_nothing_and_says_where_to_look(
    root: Path, keys: Keys, tmp_path: Path, damage: object, says: str
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    assert callable(damage)
    damage(state)

    worker = Worker(root, keys, Accepted(Kept(state)))

    with pytest.raises(NotReady, match=f"{says}.*see to ORDINATE_STATE") as caught:
        worker.registry.get()
    assert str(tmp_path) not in caught.value.message


def test_a_version_that_cannot_be_remembered_is_not_served_and_the_last_one_is(
    root: Path, keys: Keys, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    worker = Worker(root, keys, Accepted(Kept(tmp_path / "state")))
    (tmp_path / "state").rename(tmp_path / "gone")
    publish(root, seed=2, keys=keys)

    assert worker.refresh() == [(None, "refused")]
    assert worker.label == "tiny/1"

    (tmp_path / "gone").rename(tmp_path / "state")
    assert worker.refresh() == [(2, "loaded")]


def test_a_process_remembers_by_itself_what_somebody_removed_from_the_folder(
    root: Path, keys: Keys, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    publish(root, seed=2, keys=keys)
    worker = Worker(root, keys, Accepted(Kept(tmp_path / "state")))
    (tmp_path / "state" / "tiny.current").unlink()
    put_back(root)

    worker.refresh()

    assert worker.label == "tiny/2"


def test_only_a_higher_sequence_is_accepted_or_the_very_same_pointer(place: Place) -> None:
    accepted = Accepted(place)
    accepted.accept("tiny", pointer(5))

    accepted.accept("tiny", pointer(5))
    accepted.accept("other", pointer(1))
    for each in (pointer(4), pointer(5, version=2)):
        with pytest.raises(BrokenModel, match="was put back"):
            accepted.accept("tiny", each)

    assert Accepted(place).highest("tiny") == pointer(5)
    assert Accepted(place).highest("other") == pointer(1)
    assert Accepted(place).highest("nobody") is None


@pytest.mark.parametrize("place", ["shared", "kept"], indirect=True)
def test_many_processes_that_accept_at_once_end_with_the_highest(place: Place) -> None:
    children = []
    for number in range(PROCESSES):
        child = os.fork()
        if child == 0:
            accepted = Accepted(place)
            for sequence in range(number + 1, PROCESSES * TIMES + 1, PROCESSES):
                try:
                    accepted.accept(f"tiny{sequence % 3}", pointer(sequence))
                except BrokenModel as error:
                    if "put back" not in error.message:
                        os._exit(1)
            os._exit(0)
        children.append(child)

    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]

    last = PROCESSES * TIMES
    assert codes == [0] * PROCESSES
    found = [Accepted(place).highest(f"tiny{n}") for n in range(3)]
    expected = [max(s for s in range(1, last + 1) if s % 3 == n) for n in range(3)]
    assert [each and each.sequence for each in found] == expected


def test_nothing_is_remembered_where_nothing_has_to_be_signed() -> None:
    accepted = Accepted.of(Config.from_env({}))

    accepted.accept("tiny", pointer(5))
    accepted.check("tiny", Pointer(1, "0" * 64))

    assert accepted.highest("tiny") is None
