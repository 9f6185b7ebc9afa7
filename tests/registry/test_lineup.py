"""Which version answers: a share of the ids goes to the canary, always the same ids."""

import subprocess
import sys

import pytest

from app.registry import Lineup
from app.registry.lineup import position
from app.store import Keeper
from tests.support.watched import Watched

IDS = [f"request-{number}" for number in range(20_000)]


def lineup(keeper: Keeper, share: float) -> Lineup:
    keeper.set_label("tiny", "canary", 1)
    watched = Watched(keeper.root, shares={"tiny": share})
    return watched.registry.lineup("tiny")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.5, 1.0])
def test_the_share_of_the_canary_is_what_was_said_also_for_ids_that_are_counted_up(
    keeper: Keeper, share: float
) -> None:
    found = lineup(keeper, share)

    answered = [found.for_request(each).label for each in IDS]

    assert answered.count("tiny/1") / len(IDS) == pytest.approx(share, abs=0.01)
    assert set(answered) <= {"tiny/1", "tiny/3"}


def test_an_id_stays_where_it_is_when_the_share_grows(keeper: Keeper) -> None:
    small, large = lineup(keeper, 0.05), lineup(keeper, 0.2)

    first = {each for each in IDS if small.for_request(each).label == "tiny/1"}
    later = {each for each in IDS if large.for_request(each).label == "tiny/1"}

    assert first < later


def test_another_process_gives_an_id_the_same_place() -> None:
    program = "from app.registry.lineup import position; print(position('a-request'))"

    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    ).stdout

    assert float(printed) == position("a-request")


def test_without_a_share_the_canary_answers_nothing_unversioned(keeper: Keeper) -> None:
    assert lineup(keeper, 0.0).is_alone


def test_a_canary_that_is_promoted_answers_everything(keeper: Keeper) -> None:
    keeper.activate("tiny", 1)
    found = lineup(keeper, 0.5)

    assert {found.for_request(each).label for each in IDS[:100]} == {"tiny/1"}
