"""A program that reads damaged pickles of estimators with compiled parts: it must not crash."""

import random
import sys
import warnings
from contextlib import suppress
from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import GammaRegressor, SGDRegressor
from sklearn.neighbors import KNeighborsRegressor

from app.unpickling import unpickled
from tests.support.pickles import dumped

MUTANTS = 3000
LIMIT = 1 << 26


def estimators() -> list[Any]:
    return [
        KNeighborsRegressor(algorithm="kd_tree"),
        KNeighborsRegressor(algorithm="ball_tree"),
        HistGradientBoostingRegressor(max_iter=2),
        GradientBoostingRegressor(n_estimators=2, max_depth=2),
        GaussianProcessRegressor(random_state=np.random.RandomState(0)),
        SGDRegressor(tol=None, max_iter=3),
        GammaRegressor(),
        RandomForestRegressor(2, max_depth=2),
    ]


def mutant(pool: list[bytes], draw: random.Random) -> bytes:
    """A pickle with a byte or a bit changed, some bytes left out, or a piece of another put in."""
    data = bytearray(draw.choice(pool))
    for _ in range(draw.choice((1, 1, 2, 4))):
        place, other = draw.randrange(len(data)), draw.choice(pool)
        start, length = draw.randrange(len(other)), draw.randrange(1, 60)
        match draw.randrange(4):
            case 0:
                data[place] = draw.randrange(256)
            case 1:
                data[place] ^= 1 << draw.randrange(8)
            case 2:
                del data[place : place + length % 8 + 1]
            case _:
                data[place:place] = other[start : start + length]
    return bytes(data)


def main() -> None:
    warnings.simplefilter("ignore")
    x, y = load_diabetes(return_X_y=True)
    pool = [dumped(estimator.fit(x[:40], y[:40])) for estimator in estimators()]
    draw = random.Random(0)
    loaded = 0
    for _ in range(MUTANTS):
        with suppress(Exception):
            unpickled(mutant(pool, draw), LIMIT)
            loaded += 1
    sys.stdout.write(str(loaded))


if __name__ == "__main__":
    main()
