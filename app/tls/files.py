"""The files that TLS is set up from."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from app.casts import Secret
from app.config import Config
from app.errors import ConfigError

CERT, KEY = "ORDINATE_TLS_CERT", "ORDINATE_TLS_KEY"
PASSWORD = "ORDINATE_TLS_KEY_PASSWORD"  # noqa: S105 - the name of a setting
CLIENT_CA, CLIENT_CRL = "ORDINATE_TLS_CLIENT_CA", "ORDINATE_TLS_CLIENT_CRL"

_MAX_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one service, as its settings name them.

    Attributes:
        cert: the certificate, and those of its issuers behind it.
        key: its private key.
        password: of the key, if it has one.
        client: whether clients may, or must, show a certificate.
        client_ca: authorities that sign those.
        client_crl: lists of those that are revoked.
    """

    cert: Path
    key: Path
    password: Secret | None = None
    client: Literal["off", "optional", "required"] = "off"
    client_ca: Path | None = None
    client_crl: Path | None = None

    @classmethod
    def of(cls, config: Config) -> "Files | None":
        """Those that the settings name; None where they name no certificate."""
        if config.tls_cert is None or config.tls_key is None:
            return None
        return cls(
            config.tls_cert,
            config.tls_key,
            config.tls_key_password,
            config.tls_client,
            config.tls_client_ca,
            config.tls_client_crl,
        )

    def identity(self) -> tuple[object, ...]:
        """What differs after one of them was written, replaced or led elsewhere by a link."""
        return tuple(
            _identity(path)
            for path in (self.cert, self.key, self.client_ca, self.client_crl)
            if path is not None
        )


class Parts(NamedTuple):
    """What was found in the files, written anew: the TLS library is given nothing else.

    Attributes:
        chain: the certificate, and those of its issuers behind it, in PEM.
        authorities: that sign clients' certificates, in DER, one behind the other.
        lists: of revoked ones, in PEM.
    """

    chain: bytes
    authorities: bytes = b""
    lists: bytes = b""


def contents(path: Path, variable: str) -> bytes:
    """All bytes of a file that a setting names. Raises ConfigError."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{variable} names {path}, which is not a file: name the file itself")
        with path.open("rb") as file:
            found = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"{variable} names {path}, which cannot be read: {error.strerror}; {_remedy(error)}"
        ) from error
    if len(found) > _MAX_BYTES:
        raise ConfigError(
            f"{variable} names {path}, which has more than {_MAX_BYTES} bytes: leave out what is "
            "not needed"
        )
    return found


def _remedy(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return f"let the user with id {_user()} read it"
    return "correct the path, or make certificates for development by `make certs`"


_user: Callable[[], int | str] = getattr(os, "geteuid", lambda: "of this process")


def _identity(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
