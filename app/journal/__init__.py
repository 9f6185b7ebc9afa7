"""The prediction log: what was asked and answered, sealed so that the service cannot read it.

A service has the public key alone. Each worker writes files of its own, of an hour at most; each
piece of a file is sealed with a key that is forgotten at once.
"""

from app.journal.erasing import erase
from app.journal.folder import begun, log_files
from app.journal.journal import Journal
from app.journal.keys import make_pair, read_private
from app.journal.reading import Remark, read
from app.journal.records import Record

__all__ = [
    "Journal",
    "Record",
    "Remark",
    "begun",
    "erase",
    "log_files",
    "make_pair",
    "read",
    "read_private",
]
