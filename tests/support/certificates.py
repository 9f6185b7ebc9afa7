"""Certificates for tests: good ones by the service's own command, bad ones by hand."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.tls.making import Made, Workshop

PEM = serialization.Encoding.PEM


class Certificates:
    """An authority, and what it signs, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._workshop = Workshop(folder)
        self.server = self._workshop.server()
        self.ca = self._workshop.authority.cert

    def client(self, name: str) -> Made:
        """A client's certificate, made or found."""
        return self._workshop.client(name)

    def settings(self, **more: str) -> dict[str, str]:
        """The settings of a service that has the server's certificate."""
        named = {"CERT": str(self.server.cert), "KEY": str(self.server.key), **more}
        return {f"ORDINATE_TLS_{name}": value for name, value in named.items()}

    def trusting(self, client: Made | None = None) -> ssl.SSLContext:
        """What a client needs, whether it shows a certificate or not."""
        context = ssl.create_default_context(cafile=self.ca)
        if client is not None:
            context.load_cert_chain(client.cert, client.key)
        return context

    def expire(self, made: Made, seconds: int = 86400) -> None:
        """Replace a certificate by one that has expired, or will have in minus so many seconds."""
        self.sign_anew(made, timedelta(days=-9), timedelta(seconds=-seconds))

    def sign_anew(self, made: Made, begins: timedelta, expires: timedelta) -> None:
        """Replace a certificate by one that begins and expires so much later than now."""
        old = x509.load_pem_x509_certificate(made.cert.read_bytes())
        now = datetime.now(UTC).replace(microsecond=0)
        builder = x509.CertificateBuilder(
            old.issuer,
            old.subject,
            old.public_key(),
            old.serial_number,
            now + begins,
            now + expires,
            list(old.extensions),
        )
        made.cert.write_bytes(builder.sign(self._key(), hashes.SHA256()).public_bytes(PEM))

    def expires(self, made: Made) -> float:
        """When a certificate expires, Unix time."""
        found = x509.load_pem_x509_certificate(made.cert.read_bytes())
        return found.not_valid_after_utc.timestamp()

    def revoke(self, made: Made, file: Path, days: int = 9) -> Path:
        """Write the list of revoked certificates, with this one on it."""
        serial = x509.load_pem_x509_certificate(made.cert.read_bytes()).serial_number
        now = datetime.now(UTC).replace(microsecond=0)
        entry = x509.RevokedCertificateBuilder(serial, now - timedelta(days=1)).build()
        issuer = x509.load_pem_x509_certificate(self.ca.read_bytes()).subject
        builder = x509.CertificateRevocationListBuilder(
            issuer, now - timedelta(days=9), now + timedelta(days=days), [], [entry]
        )
        file.write_bytes(builder.sign(self._key(), hashes.SHA256()).public_bytes(PEM))
        return file

    def _key(self) -> ec.EllipticCurvePrivateKey:
        path = self._workshop.authority.key
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key
