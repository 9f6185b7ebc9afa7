"""The models folder: ``NAME/VERSION/{manifest.json, ...}``, ``NAME/current`` and ``default``.

``NAME/history`` says what was current before, ``NAME/label-...`` what a label stands for.

A version never changes: it is written beside its place, brought to disk and renamed. A process that
dies at any point leaves the old state or the new one, and at most rubbish with a name that nothing
reads, which the next publish clears.
"""

from app.store.history import History, settled
from app.store.keeping import Keeper
from app.store.labels import CANARY, SHADOW, Label, Labels, check_label, is_label
from app.store.names import check_name, is_name, version_number
from app.store.pointer import Pointer
from app.store.reading import Opened, Reader
from app.store.repair import Repair
from app.store.signing import SigningStore
from app.store.writing import Store

__all__ = [
    "CANARY",
    "SHADOW",
    "History",
    "Keeper",
    "Label",
    "Labels",
    "Opened",
    "Pointer",
    "Reader",
    "Repair",
    "SigningStore",
    "Store",
    "check_label",
    "check_name",
    "is_label",
    "is_name",
    "settled",
    "version_number",
]
