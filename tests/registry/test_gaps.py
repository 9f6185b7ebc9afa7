"""What is counted on and not there is told once, and once more when that changes."""

from pathlib import Path

import pytest

from app.store import Keeper
from tests.support.models import publish
from tests.support.watched import Watched


def told(watched: Watched) -> list[list[str]]:
    """All that was told of what is missing: a list for each time."""
    return [[gap.why for gap in gaps] for gaps in watched.missing]


def test_of_a_folder_that_has_everything_nothing_is_told(root: Path) -> None:
    watched = Watched(root)

    watched.refresh()

    assert watched.missing == []


def test_a_folder_that_is_not_there_is_told_until_it_comes(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "models", shares={"tiny": 0.5})
    for _ in range(3):
        watched.refresh()
    (tmp_path / "models").mkdir()
    watched.refresh()
    publish(tmp_path / "models")
    for _ in range(3):
        watched.refresh()

    absent, empty, published = told(watched)
    assert absent == ["the models folder cannot be read: No such file or directory"]
    assert watched.missing[0][0].is_folder
    assert empty[0].startswith("nothing answers at /predict: there is no default model: publish")
    assert "there is no model of that name" in empty[1]
    assert published == [
        "ORDINATE_CANARY is for the canary of 'tiny', and there is no version with that label"
    ]


@pytest.mark.parametrize("chosen", [True, False], ids=["by a setting", "by the folder"])
def test_a_default_that_does_not_exist_is_told(root: Path, chosen: bool) -> None:
    (root / "default").write_text("absent\n")
    watched = Watched(root, "absent" if chosen else None)

    watched.refresh()

    ((why,),) = told(watched)
    assert "nothing answers at /predict: there is no model named 'absent', which is the def" in why


def test_a_folder_that_goes_is_told_though_its_models_go_on_answering(
    root: Path, watched: Watched
) -> None:
    root.rename(root.with_name("elsewhere"))
    watched.refresh()

    assert watched.label == "tiny/2"
    root.with_name("elsewhere").rename(root)
    watched.refresh()

    ((why,), *rest) = told(watched)
    assert why.startswith("the models folder cannot be read")
    assert rest == [[]]


def test_a_canary_is_missed_until_the_label_is_there(keeper: Keeper) -> None:
    watched = Watched(keeper.root, shares={"tiny": 0.1})
    watched.refresh()
    keeper.set_label("tiny", "canary", 2)
    watched.refresh()

    assert [len(each) for each in watched.missing] == [1, 0]


def test_a_share_of_nothing_needs_no_canary(root: Path) -> None:
    watched = Watched(root, shares={"tiny": 0.0})

    watched.refresh()

    assert watched.missing == []
