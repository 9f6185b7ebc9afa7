"""TLS: certificates from files, taken over when they are renewed; clients that show their own."""

from app.tls.files import Files
from app.tls.live import Change, Live
from app.tls.names import certified
from app.tls.renewal import Renewal

__all__ = ["Change", "Files", "Live", "Renewal", "certified"]
