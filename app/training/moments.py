"""Means of squares that neither overflow nor vanish, whatever unit the numbers are in.

The square of 1e-170 is 0 in float64. So numbers are brought to the size of 1 first, by a power of
two, which changes no digit of them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def root_mean_square(values: Array, weights: Sequence[int] | None = None) -> float:
    """The root of the mean of the squares of n numbers, in their unit; each counts by its weight.

    Infinite or NaN where one of them is, or where it is beyond float64.
    """
    scaled, exponent = _scaled(values)
    with np.errstate(over="ignore"):
        return float(np.ldexp(np.sqrt(np.average(np.square(scaled), weights=weights)), exponent))


def standard_deviation(values: Array) -> float:
    """The standard deviation (n - 1) of n numbers, at least 2, in their unit."""
    scaled, exponent = _scaled(values)
    return float(np.ldexp(scaled.std(ddof=1), exponent))


def _scaled(values: Array) -> tuple[Array, int]:
    """The numbers divided by a power of two, the largest to below 1, and the exponent of that."""
    exponent = int(np.frexp(np.abs(values).max())[1])
    return np.ldexp(values, -exponent), exponent
