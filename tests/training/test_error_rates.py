"""What the decision controls, counted over simulated promotions; `make soak` counts thousands.

The counts are the same on every run. Their limits leave room for chance, once in a thousand.
"""

from dataclasses import replace

import numpy as np
import pytest

from app.training.comparison import compare
from app.training.promotion import ALPHA
from tests.soak.promotions import EDGE, MARGIN, SCENES, Scene, count, main, recipes, within

TIMES = 100
DECIDING = [scene for scene in SCENES if scene.most is not None or scene.least is not None]


@pytest.mark.parametrize("scene", DECIDING, ids=[f"{s.rule}: {s.says}" for s in DECIDING])
def test_promotions_are_wrong_no_more_often_than_they_may_be(scene: Scene) -> None:
    assert within(scene, count(scene, TIMES), TIMES)


def test_without_the_correction_many_more_would_be_wrong() -> None:
    generator = np.random.default_rng(0)
    draw = recipes(100, EDGE)

    corrected = plain = 0
    for seed in range(TIMES):
        (comparison,) = compare(*draw(generator, seed), lambda *_: None)
        corrected += comparison.excess(MARGIN).p < ALPHA
        plain += replace(comparison, test_share=0.0).excess(MARGIN).p < ALPHA

    assert corrected < 0.1 * TIMES
    assert plain > 0.2 * TIMES


def test_the_soak_fails_where_a_limit_is_passed_by_more_than_chance() -> None:
    scene = replace(SCENES[0], most=0.05, least=None)
    least = replace(scene, most=None, least=0.95)

    assert within(scene, 120, 2000)
    assert not within(scene, 140, 2000)
    assert within(least, 1880, 2000)
    assert not within(least, 1860, 2000)


def test_the_soak_prints_a_line_for_each_scene(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--count", "2"])

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert len(lines) == len(SCENES)
    assert all("of 2 promoted" in line for line in lines)
