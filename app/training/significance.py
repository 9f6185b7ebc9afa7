"""Whether a difference over resampled folds is more than chance.

Folds of repeated cross-validation share rows, so their scores are not independent, and the plain
t-test on them finds differences that are not there. Nadeau and Bengio correct its variance.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from app.training.moments import standard_deviation


@dataclass(frozen=True, slots=True)
class TTest:
    """A one-sided test of whether a mean is below zero.

    Attributes:
        mean: of the values, in their unit.
        standard_error: of the mean, corrected for the rows that folds share; the same unit.
        df: degrees of freedom.
        t: mean / standard_error; None where all values are the same.
        p: how probable so low a mean would be if the true one were zero.
    """

    mean: float
    standard_error: float
    df: int
    t: float | None
    p: float


def corrected_t_test(
    values: NDArray[np.float64], test_share: float, rows: int, design_effect: float = 1.0
) -> TTest:
    """The corrected resampled t-test, for the alternative that the mean is below zero.

    With s2 the variance of the J values, and q the share of the rows that each was tested on, the
    variance of their mean is taken to be (1/J + q / (1 - q)) s2, and the degrees of freedom J - 1.
    q / (1 - q) is the number of rows tested on over that of rows trained on. Where rows have
    unequal weights, those trained on are worth fewer, and it is multiplied by the design effect.

    Few rows are no more for being drawn again: they leave at most as many degrees of freedom as
    they would if each were in one fold, of two rows, the smallest that there are.

    Args:
        values: one for each fold of each repetition, J of them, at least 2.
        test_share: q, the part of the rows that can be tested on which one fold holds.
        rows: how many different ones were tested on, at least 4.
        design_effect: the number of rows over how many of equal weight they are worth.

    Source: Nadeau and Bengio (2003), Inference for the Generalization Error, Machine Learning 52,
    239-281. Bouckaert and Frank (2004), Evaluating the Replicability of Significance Tests for
    Comparing Learning Algorithms, PAKDD, use it on repeated folds, as here. The design effect is
    ours to add: all folds share a row that weighs much, which moves their scores together. So is
    the bound by rows: with J - 1 alone, 8 of 100 passed on 20 rows where 5 should.
    """
    count = len(values)
    mean, df = float(values.mean()), min(count, rows // 2) - 1
    if values.min() == values.max():
        return TTest(mean, 0.0, df, None, 0.0 if mean < 0 else 1.0)
    correction = 1 / count + design_effect * test_share / (1 - test_share)
    standard_error = math.sqrt(correction) * standard_deviation(values)
    t = mean / standard_error
    return TTest(mean, standard_error, df, t, float(stdtr(df, t)))
