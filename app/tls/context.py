"""How TLS is spoken: as Mozilla's intermediate profile (5.7) says, without Diffie-Hellman groups.

TLS 1.2 and 1.3, keys of elliptic curves that are forgotten with the connection, ciphers that
authenticate. There are no tickets: what they resume could be decrypted for as long as one key for
all of them lives, and would outlive a client's revocation. Connections that are kept alive save
more.
"""

import os
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from app.errors import ConfigError
from app.files import reason
from app.tls.files import CERT, CLIENT_CA, CLIENT_CRL, Files, Parts

SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
"""Of TLS 1.2; those of 1.3 are all sound."""

_CHACHA_FIRST = 1 << 21
"""SSL_OP_PRIORITIZE_CHACHA, which Python has no name for: who likes it best may be a phone."""

# Python before 3.15 can name one curve or leave the library's list, which has some that the profile
# leaves out. Everybody has this one.
_CURVE = "prime256v1"

_VERIFY = {
    "off": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}


def make_context(files: Files, parts: Parts) -> ssl.SSLContext:
    """A context for servers. Raises ConfigError.

    Args:
        files: that are named where OpenSSL does not take what was in them. Of the private key it
            reads the file itself.
        parts: what was in them. OpenSSL reads none of the files for certificates and lists: what it
            finds there is not always what was looked at, and in a list it may be an authority.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join(SUITES))
    context.set_ecdh_curve(_CURVE)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | _CHACHA_FIRST
    context.num_tickets = 0
    context.set_alpn_protocols(["http/1.1"])
    _present(context, files, parts.chain)
    if files.client != "off":
        _verify_clients(context, files, parts)
    return context


def _present(context: ssl.SSLContext, files: Files, chain: bytes) -> None:
    def password() -> str:  # never asked for on the terminal
        return files.password.reveal() if files.password else ""

    try:
        with _file_of(chain) as path:
            context.load_cert_chain(path, files.key, password)
    except (OSError, ValueError) as error:
        _complain(CERT, files.cert, error)


def _verify_clients(context: ssl.SSLContext, files: Files, parts: Parts) -> None:
    context.verify_mode = _VERIFY[files.client]
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # an intermediate may be all that counts
    try:
        context.load_verify_locations(cadata=parts.authorities)
    except (OSError, ValueError) as error:
        _complain(CLIENT_CA, files.client_ca, error)
    if files.client_crl is None:
        return
    try:
        with _file_of(parts.lists) as path:
            context.load_verify_locations(path)
    except (OSError, ValueError) as error:
        _complain(CLIENT_CRL, files.client_crl, error)
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


@contextmanager
def _file_of(content: bytes) -> Iterator[str]:
    """A file for OpenSSL, which takes chains and lists from files alone; in memory on Linux."""
    if sys.platform == "linux":
        descriptor = os.memfd_create("pem")
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(content)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        with TemporaryDirectory() as folder:
            path = Path(folder, "pem")
            path.write_bytes(content)
            yield str(path)


def _complain(variable: str, path: object, error: Exception) -> NoReturn:
    """Tell what the TLS library does not like, which may be a key that is too short to be safe."""
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        raise ConfigError(
            f"{variable} names {path}, which cannot be loaded: {reason(error)}; try again"
        ) from error
    found = getattr(error, "reason", None) or getattr(error, "strerror", None) or "unknown"
    said = str(found).replace("_", " ").lower()
    raise ConfigError(
        f"{variable} names {path}, which OpenSSL does not take ({said}): replace it"
    ) from error
