"""History: which versions of a model were current, in which order, so that one can go back.

The file ``NAME/history`` lists them, the oldest first, and is sealed. It is written before
``current`` when a version is made current, and after it when one goes back. A process that dies
between the two leaves entries behind the last place of the current version: they did not come about
or were undone, and `settled` leaves them out. So the two files never have to change in one step.
"""

from collections.abc import Collection, Sequence

from app.errors import BrokenModel
from app.files import Folder
from app.store.sealed import MAX_SEALED_BYTES, sealed, unsealed

HISTORY = "history"

KEPT = 100
"""How many entries are kept: so often one can go back."""

History = tuple[int, ...]


def to_bytes(history: Sequence[int]) -> bytes:
    """As written to disk."""
    return sealed({"versions": list(history[-KEPT:])})


def read_history(folder: Folder) -> History:
    """What is written in a model's folder; empty where nothing is.

    Raises:
        BrokenModel: it is damaged.
        OSError: it cannot be read.
    """
    try:
        content = unsealed(folder.read(HISTORY, MAX_SEALED_BYTES), "the file of its history")
        return tuple(int(version) for version in content["versions"])
    except FileNotFoundError:
        return ()
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenModel("the file of its history is damaged") from error


def settled(history: Sequence[int], current: int | None) -> History:
    """What led to the current version, itself at the end; nothing where none is current."""
    if current is None:
        return ()
    if current not in history:  # made current by hand, or by a release that kept no history
        return (*history, current)
    last = len(history) - tuple(reversed(history)).index(current)
    return tuple(history[:last])


def gone_back(
    history: Sequence[int], current: int | None, existing: Collection[int]
) -> History | None:
    """The history after going back once: its last entry is what was current before.

    Versions that were removed since are passed over. None where there is nothing to go back to.
    """
    left = settled(history, current)[:-1]
    while left and (left[-1] == current or left[-1] not in existing):
        left = left[:-1]
    return left or None
