"""How often a decision about a promotion is wrong, counted: ``make soak``.

Each scene draws data whose truth is known, sets a challenger against a champion with the code that
train.py uses, and counts promotions. The scenes sit where errors are most likely: a challenger that
is worse by exactly the margin, and one that is exactly as good.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from app.training.champion import Champion
from app.training.comparison import Published, Refit, Task, compare
from app.training.contest import Contest
from app.training.copies import groups
from app.training.promotion import ALPHA, Rule, Terms, decide

Array = NDArray[np.float64]

COUNT = 2000
MARGIN = 0.05
FOLDS, REPEATS = 10, 10
WIDTH = 6
OWN = 0.5
"""Coefficient of the feature that only the champion, or only the challenger, does not use."""


class LeastSquares:
    """Ordinary least squares on some of the columns, quick enough to be fitted a million times."""

    def __init__(self, columns: list[int]) -> None:
        self.columns = columns
        self.coefficients: NDArray[np.floating] = np.zeros(len(columns) + 1)

    def __sklearn_clone__(self) -> "LeastSquares":
        return LeastSquares(self.columns)

    def fit(self, x: Array, y: Array) -> "LeastSquares":
        """Fit to x of shape (n, p) and y of shape (n,)."""
        design = self._design(x)
        self.coefficients = np.linalg.solve(design.T @ design, design.T @ y)
        return self

    def predict(self, x: Array) -> Array:
        """Answers for x of shape (n, p)."""
        answers: Array = self._design(x) @ self.coefficients
        return answers

    def _design(self, x: Array) -> Array:
        return np.column_stack([np.ones(len(x)), x[:, self.columns]])


Drawn = tuple[Task, Refit | None, Published | None]


@dataclass(frozen=True, slots=True)
class Scene:
    """A situation, the rule that is asked for in it, and how many promotions there may be.

    Attributes:
        says: the situation, in words.
        rule: of promotion.
        most: largest share of promotions that is right; None if there is none.
        least: smallest share that is right; None if there is none.
        draw: data and contestants, by a generator and a seed for the folds.
    """

    says: str
    rule: Rule
    most: float | None
    least: float | None
    draw: Callable[[np.random.Generator, int], Drawn]


def recipes(rows: int, ratio: float, noise: str = "normal") -> Callable[..., Drawn]:
    """Each of two recipes lacks another feature; the ratio of their errors, in truth, is given."""
    champion_lacks = OWN
    challenger_lacks = sqrt(ratio**2 * (1 + OWN**2) - 1)

    def draw(generator: np.random.Generator, seed: int) -> Drawn:
        x = generator.normal(size=(rows, WIDTH))
        weights = np.array([challenger_lacks, champion_lacks, *[0.3] * (WIDTH - 2)])
        y = x @ weights + _noise(generator, rows, noise)
        both = list(range(2, WIDTH))
        task = Task(x, y, np.arange(rows), LeastSquares([1, *both]), FOLDS, REPEATS, seed)
        return task, Refit(x, LeastSquares([0, *both])), None

    return draw


def published(rows: int, new: int, ratio: float) -> Callable[..., Drawn]:
    """A published champion that is wrong by as much as its ratio to the challenger needs.

    The challenger lacks a feature and learns from `rows` rows, `new` of which the champion has not
    seen. Its error allows for what it loses by learning: with n rows and p columns its variance is
    (n + 1)/n (n - 2)/(n - p - 2) times that of what it cannot explain (normal features).
    """
    trained, columns = rows - new // FOLDS, WIDTH - 1
    lost = (trained + 1) / trained * (trained - 2) / (trained - columns - 2)
    error = sqrt((1 + OWN**2) * lost) / ratio

    def draw(generator: np.random.Generator, seed: int) -> Drawn:
        x = generator.normal(size=(rows, WIDTH))
        weights = np.array([OWN, *[0.3] * (WIDTH - 1)])
        y = x @ weights + generator.normal(size=rows)
        off = np.zeros(WIDTH)
        off[1] = sqrt(error**2 - 1)
        counts = np.arange(rows) >= rows - new
        recipe = LeastSquares(list(range(1, WIDTH)))
        task = Task(x, y, np.arange(rows), recipe, FOLDS, REPEATS, seed)
        return task, None, Published(x @ (weights + off), counts)

    return draw


def retrained(before: int, new: int) -> Callable[..., Drawn]:
    """The champion's recipe again, on its rows and as many new ones: what a schedule does."""

    def draw(generator: np.random.Generator, seed: int) -> Drawn:
        x = generator.normal(size=(before + new, WIDTH))
        y = x @ np.full(WIDTH, 0.3) + generator.normal(size=before + new)
        recipe = LeastSquares(list(range(WIDTH)))
        champion = LeastSquares(recipe.columns).fit(x[:before], y[:before])
        counts = np.arange(before + new) >= before
        task = Task(x, y, np.arange(before + new), recipe, FOLDS, REPEATS, seed)
        return task, Refit(x, recipe), Published(champion.predict(x), counts)

    return draw


def copied(
    drawn: Callable[..., Drawn], often: Callable[[np.random.Generator, int], NDArray[np.int_]]
) -> Callable[..., Drawn]:
    """The same, but each row is there as often as is drawn for it, and nobody says which are."""

    def draw(generator: np.random.Generator, seed: int) -> Drawn:
        task, refit, _ = drawn(generator, seed)
        places = np.arange(len(task.y))
        rows = generator.permutation(np.repeat(places, often(generator, len(places))))
        x, y = task.x[rows], task.y[rows]
        task = replace(task, x=x, y=y, groups=groups(x, y))
        return task, refit and replace(refit, x=refit.x[rows]), None

    return draw


def up_to_ten(generator: np.random.Generator, rows: int) -> NDArray[np.int_]:
    """Each row once to ten times."""
    return generator.integers(1, 11, rows)


def few_fifteen_times(_: np.random.Generator, rows: int) -> NDArray[np.int_]:
    """Five rows fifteen times, all others once."""
    return np.where(np.arange(rows) < 5, 15, 1)


def _noise(generator: np.random.Generator, rows: int, kind: str) -> Array:
    if kind == "normal":
        return generator.normal(size=rows)
    return generator.standard_t(5, size=rows) / sqrt(5 / 3)  # unit variance


EDGE = 1 + MARGIN

SCENES = (
    Scene("worse by the margin, by recipe, 442 rows", "not-worse", ALPHA, None, recipes(442, EDGE)),
    Scene("worse by the margin, by recipe, 100 rows", "not-worse", ALPHA, None, recipes(100, EDGE)),
    Scene("worse by the margin, by recipe, 20 rows", "not-worse", ALPHA, None, recipes(20, EDGE)),
    Scene(
        "worse by the margin, by recipe, heavy tails",
        "not-worse",
        ALPHA,
        None,
        recipes(442, EDGE, "heavy"),
    ),
    Scene(
        "worse by the margin, by recipe, 100 rows, each up to 10 times",
        "not-worse",
        ALPHA,
        None,
        copied(recipes(100, EDGE), up_to_ten),
    ),
    Scene(
        "worse by the margin, by recipe, 100 rows, 5 of them 15 times",
        "not-worse",
        ALPHA,
        None,
        copied(recipes(100, EDGE), few_fifteen_times),
    ),
    Scene(
        "worse by the margin than what is published, 442 rows, all new",
        "not-worse",
        ALPHA,
        None,
        published(442, 442, EDGE),
    ),
    Scene(
        "worse by the margin than what is published, 442 rows, 120 new",
        "not-worse",
        ALPHA,
        None,
        published(442, 120, EDGE),
    ),
    Scene("equal, by recipe, 442 rows", "better", ALPHA, None, recipes(442, 1.0)),
    Scene("equal to what is published, all new", "better", ALPHA, None, published(442, 442, 1.0)),
    Scene("equal, and unlike: 442 rows", "not-worse", None, None, recipes(442, 1.0)),
    Scene("equal, and unlike: 2,000 rows", "not-worse", None, 0.9, recipes(2000, 1.0)),
    Scene("the same recipe, 442 rows and 120 new", "not-worse", None, 0.95, retrained(442, 120)),
)


def count(scene: Scene, times: int, tell: Callable[[int], None] = lambda _: None) -> int:
    """How often the challenger of a scene is promoted."""
    generator = np.random.default_rng(0)
    promoted = 0
    for seed in range(times):
        tell(seed)
        task, refit, published = scene.draw(generator, seed)
        comparisons = compare(task, refit, published, lambda *_: None)
        contest = Contest(Champion(1), task, (), comparisons, {})
        rows = dict.fromkeys(("rows", "different_rows", "effective_rows"), len(task.y))
        promoted += decide(Terms(scene.rule, MARGIN), contest, rows).promoted
    return promoted


def within(scene: Scene, promoted: int, times: int) -> bool:
    """Whether a count is no further beyond its limit than chance goes, once in a thousand."""

    def chance(limit: float) -> float:
        return 3.1 * sqrt(limit * (1 - limit) * times)

    high = scene.most is None or promoted <= scene.most * times + chance(scene.most)
    return high and (scene.least is None or promoted >= scene.least * times - chance(scene.least))


def main(arguments: list[str] | None = None) -> int:
    """Print the counts of every scene. Returns the exit code, 1 if any is beyond its limit."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=COUNT, help="of each scene; %(default)s")
    times = parser.parse_args(arguments).count
    right = True
    for scene in SCENES:
        promoted = count(scene, times, partial(_progress, scene, times))
        good = within(scene, promoted, times)
        right = right and good
        limit = f"at most {scene.most:.0%}" if scene.most else ""
        limit = f"at least {scene.least:.0%}" if scene.least else limit
        print(
            f"--promote {scene.rule:9}  {scene.says:62}  {promoted:5} of {times} promoted, "
            f"{promoted / times:7.2%}  {limit or 'no limit':12}  {'good' if good else 'WRONG'}",
            flush=True,
        )
    return 0 if right else 1


def _progress(scene: Scene, times: int, done: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{scene.says}: {done} of {times}\r")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
