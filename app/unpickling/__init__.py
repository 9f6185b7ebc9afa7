"""Reading pickles of fitted scikit-learn pipelines without letting them run anything.

A pickle is a program whose instructions import by name and call what they imported. Here it is read
by an interpreter of our own, which knows those instructions alone that a fitted pipeline is written
with, and takes names from a list: estimators and what they are made of. Nothing that a pickle names
is called as it stands: each of the few callables that pickles of estimators need has a maker here,
which checks its arguments. Neither `pickle` nor `joblib` is involved. In the end all that was made
is looked at once more: what an estimator would call, or call by, must be as in fitted pipelines.
"""

from app.unpickling.inflating import inflated
from app.unpickling.instructions import read
from app.unpickling.parts import check_parts
from app.unpickling.source import Source

__all__ = ["MAX_BYTES", "unpickled"]

MAX_BYTES = 4 << 30


def unpickled(data: bytes, limit: int = MAX_BYTES) -> object:
    """The object that `joblib.dump` wrote, compressed or not.

    Args:
        data: the whole file.
        limit: most bytes that it may inflate to.

    Raises:
        BrokenModel: it needs something that is not on the list, or would inflate to more, or has
            an attribute that could turn a prediction into something else.
        Exception: of any kind, where it is damaged.
    """
    made = read(Source(inflated(data, limit)))
    check_parts(made)
    return made
