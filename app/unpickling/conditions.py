"""What checks of parts are written with. Whoever calls them makes a refusal of the ValueError."""

from collections.abc import Collection
from functools import cache
from typing import Any

import numpy as np


def must(right: object) -> None:
    """Raise ValueError for a part that does not fit the others."""
    if not right:
        raise ValueError("a part does not fit the others")


def array(value: Any, *shape: int | None) -> Any:
    """The value, which must be an array of this shape, None being any length."""
    must(type(value) is np.ndarray and value.ndim == len(shape))
    must(all(want in (None, got) for want, got in zip(shape, value.shape, strict=True)))
    return value


def within(indices: Any, low: Any, high: Any) -> None:
    """Raise ValueError unless all of them are from `low` to below `high`."""
    must(((indices >= low) & (indices < high)).all())


def descends(value: Any, name: str) -> bool:
    """Whether a class of scikit-learn with this name is among the bases of a value's class."""
    kind: Any = type(value)  # mypy does not take a type for hashable
    return name in bases(kind)


@cache
def bases(kind: type[Any]) -> Collection[str]:
    """Names of the classes of scikit-learn that a class descends from, itself included."""
    return frozenset(
        base.__name__ for base in kind.__mro__ if base.__module__.startswith("sklearn.")
    )
