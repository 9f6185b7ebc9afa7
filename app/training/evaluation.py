"""Cross-validation: how well a model predicts rows that it was not fitted on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import KFold

from app.errors import DataError
from app.training import copies
from app.training.dataset import Dataset
from app.training.moments import root_mean_square, standard_deviation

Array = NDArray[np.float64]
Measured = dict[str, float | None]

MEASURES = ("r2", "rmse", "mae")

LARGEST = 1e150
"""Figures from here on are refused: the square of one, in a standard deviation, would overflow."""


@dataclass(frozen=True, slots=True)
class Score:
    """One measure over all rows, and over the folds.

    Attributes:
        pooled: over all rows, each of which counts once whatever its fold, see `pooled`; None where
            it is not defined.
        folds: its value in each fold, see `measure`; None where it is not defined.
        mean: over the folds where it is defined; None if there is none.
        std: standard deviation over those folds (n - 1), a spread and not a confidence interval:
            the folds share most of their training rows.
    """

    pooled: float | None
    folds: tuple[float | None, ...]

    @property
    def defined(self) -> Array:
        """The values that exist."""
        return np.array([value for value in self.folds if value is not None])

    @property
    def mean(self) -> float | None:
        """The mean over the folds."""
        return float(self.defined.mean()) if self.defined.size else None

    @property
    def std(self) -> float | None:
        """The standard deviation over the folds."""
        return standard_deviation(self.defined) if self.defined.size > 1 else None

    def to_json(self) -> dict[str, Any]:
        """As it stands in a manifest."""
        return {
            "pooled": self.pooled,
            "mean": self.mean,
            "std": self.std,
            "folds": list(self.folds),
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores by measure (`MEASURES`), of the model and of always answering the mean."""

    model: dict[str, Score]
    baseline: dict[str, Score]
    folds: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        """As it stands in a manifest; rmse and mae are in the target's unit."""
        found: dict[str, Any] = {name: score.to_json() for name, score in self.model.items()}
        found["baseline"] = {name: score.to_json() for name, score in self.baseline.items()}
        return found | {"folds": self.folds, "repeats": 1, "seed": self.seed}


def cross_validate(
    estimator: Any,
    dataset: Dataset,
    folds: int,
    seed: int,
    progress: Callable[[int, int], None],
) -> Evaluation:
    """Fit on all folds but one and measure on that one, for each in turn.

    Everything that is learnt from data, the preparation and the baseline's mean included, is
    learnt anew in each turn from its training rows. Rows are shuffled by `seed` first, and copies
    stay together: folds differ by at most one group of them, and so by more in rows.

    Raises:
        DataError: a figure is not below `LARGEST`.
    """
    model: list[Measured] = []
    baseline: list[Measured] = []
    rows: list[int] = []
    for done, (train, test) in enumerate(_splits(dataset, folds, seed)):
        progress(done, folds)
        fitted = clone(estimator).fit(dataset.x[train], dataset.y[train])
        known = dataset.y[test]
        model.append(measure(known, fitted.predict(dataset.x[test])))
        baseline.append(measure(known, np.full(len(test), dataset.y[train].mean())))
        rows.append(len(test))
    progress(folds, folds)
    return Evaluation(
        _by_measure(model, pooled(model, baseline, rows)),
        _by_measure(baseline, pooled(baseline, baseline, rows)),
        folds,
        seed,
    )


def _splits(dataset: Dataset, folds: int, seed: int) -> Iterator[tuple[copies.Rows, copies.Rows]]:
    """Rows to train on and rows to test on, for each fold."""
    groups = np.arange(dataset.different)
    for _, tested in KFold(folds, shuffle=True, random_state=seed).split(groups):
        yield copies.parted(dataset.groups, np.isin(groups, tested))


def measure(known: Array, answered: Array) -> Measured:
    """R2, RMSE and MAE of answers beside what is known, both of shape (n,).

    R2 is 1 - (sum of squared errors) / (sum of squared deviations from the mean of `known`), and
    None where `known` is constant.

    Raises:
        DataError: a figure is not below `LARGEST`.
    """
    with np.errstate(over="ignore"):  # told below, with a remedy
        errors = answered - known
        rmse = root_mean_square(errors)
        constant = bool((known == known[0]).all())
        reference = 0.0 if constant else root_mean_square(known - known.mean())
        return _bounded(
            {"r2": _r2(rmse, reference), "rmse": rmse, "mae": float(np.abs(errors).mean())}
        )


def _r2(rmse: float, reference: float) -> float | None:
    return None if reference == 0 else float(1.0 - np.square(rmse / np.float64(reference)))


def pooled(
    turns: Sequence[Measured], baseline: Sequence[Measured], rows: Sequence[int]
) -> Measured:
    """R2, RMSE and MAE over the rows of all folds, each of which counts once.

    RMSE is the root of the mean of all squared errors. The mean of the folds' roots is less, and
    the smaller the folds, the nearer to the MAE. R2 is 1 - (sum of squared errors) / (sum of
    squared errors of the baseline), None where the baseline has no errors. It compares with what
    would be known without the model, the mean of the rows trained on, and is 0 for the baseline.
    The R2 of a fold compares with the mean of the rows tested on, which nobody knows beforehand
    and which lies nearer to them the fewer they are.

    Args:
        turns: what `measure` found in each fold.
        baseline: the same, of the mean of the rows trained on.
        rows: how many each fold has.

    Raises:
        DataError: a figure is not below `LARGEST`.

    Source: Hawinkel, Waegeman, Maere (2024), Out-of-Sample R2: Estimation and Inference, The
    American Statistician 78, 15-25.
    """
    rmse, reference = (
        root_mean_square(np.array([turn["rmse"] or 0.0 for turn in each]), rows)
        for each in (turns, baseline)
    )
    mae = float(np.average([turn["mae"] or 0.0 for turn in turns], weights=rows))
    with np.errstate(over="ignore"):  # told below, with a remedy
        return _bounded({"r2": _r2(rmse, reference), "rmse": rmse, "mae": mae})


def _bounded(found: Measured) -> Measured:
    if not all(value is None or abs(value) < LARGEST for value in found.values()):
        raise DataError("the values differ so widely in size that errors overflow: rescale them")
    return found


def _by_measure(turns: Sequence[Measured], over_all: Measured) -> dict[str, Score]:
    return {name: Score(over_all[name], tuple(turn[name] for turn in turns)) for name in MEASURES}
