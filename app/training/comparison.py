"""A challenger beside the champion, on the same folds of the same rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from app.training import copies
from app.training.evaluation import measure
from app.training.significance import TTest, corrected_t_test

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]

Form = Literal["refitted", "as is"]

REPEATS = 10
"""Repetitions of the folds, each with the rows shuffled anew."""

FITTED_ROWS = 2_000_000
"""Fewer repetitions where rows times folds go beyond this: many rows leave little to chance."""

MIN_UNSEEN = 100
"""Fewest rows on which a published champion is judged as it is; on fewer, equal models would mostly
fail to prove that they are."""

ROUNDING = 1e-9
"""Errors below this part of the target's range count as this: they are rounding, not quality. So
are differences of errors below this part of them."""


@dataclass(frozen=True, slots=True)
class Task:
    """What both have to do.

    Attributes:
        x, y: of the challenger, of shape (n, p) and (n,).
        groups: for each row its group of copies, as `copies.groups` numbers them.
        estimator: the challenger, not fitted.
        folds, repeats, seed: of the cross-validation.
    """

    x: Array
    y: Array
    groups: Rows
    estimator: Any
    folds: int
    repeats: int
    seed: int


@dataclass(frozen=True, slots=True)
class Refit:
    """The champion's recipe, not fitted, and its own matrix of the same rows, shape (n, q)."""

    x: Array
    estimator: Any


@dataclass(frozen=True, slots=True)
class Published:
    """The champion's answers for the same rows, and which of them count: those new to it."""

    answers: Array
    counts: Mask


@dataclass(frozen=True, slots=True)
class Comparison:
    """RMSE of both, a value for each fold of each repetition.

    Attributes:
        form: ``refitted``, the champion's recipe fitted to each fold's training rows; or ``as is``,
            the champion as it was published.
        rows: that were tested on.
        different: how many these are if copies are counted once.
        challenger, champion: in the target's unit, shape (folds * repeats,).
        test_share: the part of these rows that one fold holds, copies counted once.
        design_effect: of copies that are not equally many, on what is trained on.
    """

    form: Form
    rows: int
    different: int
    challenger: Array
    champion: Array
    test_share: float
    design_effect: float = 1.0

    def excess(self, margin: float) -> TTest:
        """Test whether the challenger's error is below (1 + margin) times the champion's.

        With a margin of 0 this asks whether it is better, otherwise whether it is not worse by the
        margin or more. A margin that is relative is tested within the folds, so that chance in the
        champion's own error counts too: all but where both have the same error in every fold, as
        one recipe has. However much that error varies, it leaves nothing to chance between them.
        """
        values = self.challenger - (1 + margin) * self.champion
        if (np.abs(self.challenger - self.champion) <= ROUNDING * self.champion).all():
            values = np.full_like(values, -margin * self.champion.mean())
        return corrected_t_test(values, self.test_share, self.different, self.design_effect)


def repeats_for(rows: int, folds: int) -> int:
    """How often the folds are drawn anew."""
    return max(1, min(REPEATS, FITTED_ROWS // (rows * folds)))


def compare(
    task: Task,
    refit: Refit | None,
    published: Published | None,
    progress: Callable[[int, int], None],
) -> tuple[Comparison, ...]:
    """Score both on repeated folds: one comparison for each form of the champion given.

    Rows that are new to a published champion are spread evenly over the folds. It is compared on
    those alone; the challenger is trained on all rows outside of the fold.

    Raises:
        DataError: errors overflow.
    """
    if refit is None and published is None:
        return ()
    total = task.folds * task.repeats
    refitted = _Scores("refitted", task.groups) if refit else None
    as_is = _Scores("as is", task.groups[published.counts]) if published else None
    for done, (train, test) in enumerate(splits(task, published.counts if published else None)):
        progress(done, total)
        known, answers = task.y[test], _answers(task.estimator, task.x, task.y, train, test)
        if refit and refitted:
            refitted.add(known, answers, _answers(refit.estimator, refit.x, task.y, train, test))
        if published and as_is:
            new = published.counts[test]
            as_is.add(known[new], answers[new], published.answers[test][new])
    progress(total, total)
    return tuple(scores.compared(task) for scores in (refitted, as_is) if scores)


@dataclass(frozen=True, slots=True)
class _Scores:
    """What is being collected for a comparison."""

    form: Form
    groups: Rows  # of copies, for each row that is tested on
    challenger: list[float] = field(default_factory=list)
    champion: list[float] = field(default_factory=list)

    def add(self, known: Array, challenger: Array, champion: Array) -> None:
        """Score the answers of both for the rows of one fold."""
        self.challenger.append(measure(known, challenger)["rmse"] or 0.0)
        self.champion.append(measure(known, champion)["rmse"] or 0.0)

    def compared(self, task: Task) -> Comparison:
        """All folds, told apart no finer than rounding allows."""
        floor = ROUNDING * float(np.ptp(task.y))
        challenger, champion = np.maximum([self.challenger, self.champion], floor)
        effect = copies.count(task.groups) / copies.effective(task.groups)
        rows, different = len(self.groups), len(np.unique(self.groups))
        return Comparison(self.form, rows, different, challenger, champion, 1 / task.folds, effect)


def splits(task: Task, counts: Mask | None = None) -> Iterator[tuple[Rows, Rows]]:
    """Rows to train on and rows to test on, for each fold of each repetition.

    Copies stay together. Folds differ by at most one group of them, and by at most one of those
    groups that have a row that counts.
    """
    generator = np.random.default_rng(task.seed)
    groups = copies.count(task.groups)
    fold_of = np.empty(groups, dtype=np.intp)
    counted = np.zeros(groups, dtype=bool)
    counted[task.groups[slice(None) if counts is None else counts]] = True
    for _ in range(task.repeats):
        order = generator.permutation(groups)
        order = order[np.argsort(~counted[order], kind="stable")]
        fold_of[order] = np.arange(groups) % task.folds
        for fold in range(task.folds):
            yield copies.parted(task.groups, fold_of == fold)


def _answers(estimator: Any, x: Array, y: Array, train: Rows, test: Rows) -> Array:
    answers: Array = clone(estimator).fit(x[train], y[train]).predict(x[test])
    return answers
