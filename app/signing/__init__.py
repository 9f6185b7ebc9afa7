"""Signatures: by whom a version was made, and which one they made current.

A signature is Ed25519 over a statement: a line that says what kind it is, then its parts as JSON.
The name of the model and the number of the version are among them, so that a signed version proves
nothing in another place. Keys are PEM files, as openssl writes them.
"""

from app.signing.ed25519 import Signer, make_pair, read_signer, read_trusted
from app.signing.keys import Keys
from app.signing.statements import UNSIGNED, Signature, Signed, about_current, about_version

__all__ = [
    "UNSIGNED",
    "Keys",
    "Signature",
    "Signed",
    "Signer",
    "about_current",
    "about_version",
    "make_pair",
    "read_signer",
    "read_trusted",
]
