"""Whatever call a change of labels or of the current version dies at, it happened or it did not.

With a key, what a reader finds counts only if it is signed.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from app.files import TEMPORARY, locked
from app.signing import Keys
from app.store import Keeper, Label, Repair
from tests.store.processes import KILLED, REFUSED, Outcome, Publisher, calls_in, can_trace
from tests.support.keys import signer, trusting
from tests.support.models import publish

MOST_CALLS = 500

needs_strace = pytest.mark.skipif(
    not can_trace(), reason="strace is not installed or may not trace here"
)


@dataclass(frozen=True)
class Found:
    """What a models folder says, as far as these changes touch it."""

    current: int
    previous: int | None
    labels: dict[str, int]
    versions: tuple[int, ...]


ACTIONS: dict[str, tuple[Sequence[Any], Found]] = {
    "activate": (("activate", 1), Found(1, 3, {"canary": 2}, (1, 2, 3, 4))),
    "roll back": (("rollback",), Found(1, 2, {"canary": 2}, (1, 2, 3, 4))),
    "label": (("set_label", "shadow", 1), Found(3, 1, {"canary": 2, "shadow": 1}, (1, 2, 3, 4))),
    "move a label": (("set_label", "canary", 4), Found(3, 1, {"canary": 4}, (1, 2, 3, 4))),
    "remove a label": (("remove_label", "canary"), Found(3, 1, {}, (1, 2, 3, 4))),
}
BEFORE = Found(3, 1, {"canary": 2}, (1, 2, 3, 4))


@dataclass(frozen=True)
class Shop:
    """A models folder, and the key of who writes to it, if there is one."""

    root: Path
    keys: Keys
    private: str | None

    def copy(self, place: Path) -> "Shop":
        """The same in another place."""
        return Shop(Path(shutil.copytree(self.root, place)), self.keys, self.private)

    @property
    def keeper(self) -> Keeper:
        return Keeper(self.root, self.keys)


@pytest.fixture(scope="module", params=["unsigned", "signed"])
def stocked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Four versions of `tiny`: 2, 1 and then 3 were made current, and `canary` stands for 2.

    All of them had been current before, so that the order in which files are written matters.
    """
    folder = tmp_path_factory.mktemp("stocked")
    keys, private = Keys(), None
    if request.param == "signed":
        mine, private = signer(folder / "keys", "mine"), str(folder / "keys" / "mine.pem")
        keys = trusting(mine, signs=mine)
    for _ in range(4):
        publish(folder / "models", keys=keys)
    shop = Shop(folder / "models", keys, private)
    keeper = shop.keeper
    for version in (2, 1, 3):
        keeper.activate("tiny", version)
    keeper.set_label("tiny", "canary", 2)
    return shop


@pytest.fixture
def fresh(stocked: Shop, quick_path: Path) -> Callable[[], Shop]:
    """Makes a copy of it, each time in a new place."""
    numbers = count()
    return lambda: stocked.copy(quick_path / str(next(numbers)) / "models")


def found_in(shop: Shop) -> Found:
    """What a reader finds; anything damaged or not signed as it must be fails."""
    keeper = shop.keeper
    pointer = keeper.current("tiny")
    assert keeper.open("tiny", pointer.version).manifest_sha256 == pointer.manifest_sha256
    labels = {}
    for label, said in keeper.labels("tiny").items():
        assert isinstance(said, Label)
        assert keeper.open("tiny", said.version).manifest_sha256 == said.manifest_sha256
        labels[label] = said.version
    versions = tuple(keeper.versions("tiny"))
    return Found(pointer.version, keeper.previous("tiny"), labels, versions)


def check(shop: Shop, outcome: Outcome, after: Found) -> None:
    """The state before or after, nothing between; what is left is rubbish that can be cleared."""
    assert outcome.code in (KILLED, REFUSED, 0)
    assert outcome.refused is None or outcome.refused.isprintable()
    assert found_in(shop) in (BEFORE, after)
    if outcome.code == 0:
        assert found_in(shop) == after

    done = Repair(shop.root, shop.keys).repair()

    assert all("left by a writer that died" in each for each in done)
    assert not [path for path in shop.root.rglob("*") if path.name.startswith(TEMPORARY)]
    assert found_in(shop) in (BEFORE, after)
    with locked(shop.root / "tiny", 0) as alone:
        assert alone


@pytest.mark.parametrize("error", [None, "EIO"], ids=["killed", "failed"])
@pytest.mark.parametrize("name", ACTIONS)
def test_a_change_that_ends_before_any_call_into_the_system_happened_or_did_not(
    publisher: Publisher, fresh: Callable[[], Shop], name: str, error: str | None
) -> None:
    action, after = ACTIONS[name]

    for at in range(1, MOST_CALLS):
        shop = fresh()
        ordered = partial(publisher.publish, key=shop.private, action=action)
        outcome = ordered(shop.root, shop.root, at=at, error=error)
        check(shop, outcome, after)
        if not outcome.reached:
            break

    assert 10 < at < MOST_CALLS - 1


@needs_strace
@pytest.mark.parametrize("name", ACTIONS)
def test_a_change_killed_at_any_system_call_happened_or_did_not(
    publisher: Publisher, fresh: Callable[[], Shop], tmp_path: Path, name: str
) -> None:
    action, after = ACTIONS[name]
    shop, log = fresh(), tmp_path / "log"
    traced = partial(publisher.publish_traced, log=log, key=shop.private, action=action)
    check(shop, traced(shop.root, shop.root), after)
    calls = calls_in(log)
    assert calls["fsync"] >= 1

    for call, number in [(c, n) for c in calls for n in range(1, calls[c] + 1)]:
        shop = fresh()
        outcome = traced(shop.root, shop.root, rule=f"{call}:signal=SIGKILL:when={number}")
        assert outcome.code == KILLED
        check(shop, outcome, after)


def test_a_prune_that_dies_anywhere_takes_nothing_that_is_needed(
    publisher: Publisher, fresh: Callable[[], Shop]
) -> None:
    for at in range(1, MOST_CALLS):
        shop = fresh()
        shop.keeper.set_label("tiny", "canary", 3)
        ordered = partial(publisher.publish, key=shop.private, action=("prune", 1))
        outcome = ordered(shop.root, shop.root, at=at)

        assert tuple(shop.keeper.versions("tiny")) in ((1, 2, 3, 4), (1, 3, 4))
        assert shop.keeper.previous("tiny") == 1
        if not outcome.reached:
            break

    assert 10 < at < MOST_CALLS - 1
