"""What is looked at when rows come, since it depends on parts that any estimator may stand for.

Compiled code writes into the array that one part made, as many values as another has, and reads
what a third put out by places that a fourth knows. Here the methods between them get a look at
their results, put beside the method of the class in the instance.
"""

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from app.unpickling.conditions import descends, must

Check = Callable[[Any, Any, Any], None]


class Guard:
    """A method of an estimator whose results are checked.

    It knows the estimator weakly, so that a model that was replaced is freed at once.
    """

    def __init__(self, estimator: Any, name: str, check: Check) -> None:
        self._estimator = weakref.ref(estimator)
        self._method = getattr(type(estimator), name)
        self._check = check

    def __call__(self, rows: Any, *arguments: Any, **options: Any) -> Any:
        """What the method returns. Raises ValueError where compiled code would go astray by it."""
        estimator = self._estimator()
        result = self._method(estimator, rows, *arguments, **options)
        self._check(estimator, rows, result)
        return result


def guard(estimator: Any) -> None:
    """Put guards in front of what has to be looked at."""
    for name, check in _guarded(estimator):
        vars(estimator)[name] = Guard(estimator, name, check)


def _guarded(estimator: Any) -> Iterator[tuple[str, Check]]:
    if descends(estimator, "BaseGradientBoosting"):
        yield "_raw_predict_init", _check_beginning
    if descends(estimator, "BaseHistGradientBoosting"):
        yield "_preprocess_X", _check_width
    if descends(estimator, "NeighborsBase"):
        for name in ("kneighbors_graph", "radius_neighbors_graph"):
            if hasattr(type(estimator), name):
                yield name, _check_places


def _check_beginning(estimator: Any, rows: Any, result: Any) -> None:
    """Trees add to the answers of any other estimator, in a column each."""
    must(type(result) is np.ndarray)
    must(result.shape == (rows.shape[0], estimator.estimators_.shape[1]))


def _check_width(estimator: Any, _rows: Any, result: Any) -> None:
    """A pipeline of its own prepares the rows."""
    must(result.ndim == 2 and result.shape[1] == estimator.n_features_in_)


def _check_places(_estimator: Any, _rows: Any, result: Any) -> None:
    """The neighbours of who gives a graph for rows may be more than there are points."""
    result.check_format(full_check=True)
