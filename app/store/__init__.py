"""The models folder: ``NAME/VERSION/{manifest.json, ...}``, ``NAME/current`` and ``default``.

A version never changes: it is written beside its place, brought to disk and renamed. A process that
dies at any point leaves the old state or the new one, and at most rubbish with a name that nothing
reads, which the next publish clears.
"""

from app.store.names import check_name, is_name, version_number
from app.store.pointer import Pointer
from app.store.reading import Opened, Reader, reason
from app.store.signing import SigningStore
from app.store.writing import Store

__all__ = [
    "Opened",
    "Pointer",
    "Reader",
    "SigningStore",
    "Store",
    "check_name",
    "is_name",
    "reason",
    "version_number",
]
