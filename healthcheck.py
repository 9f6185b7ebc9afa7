"""Whether the service on this machine answers, for the image's HEALTHCHECK: exit code 0 or 1.

It asks a worker, not just the socket, by the settings of the service: HOST, PORT, and TLS where it
is spoken. It imports nothing of the service, so it is done in a tenth of a second.
"""

import http.client
import os
import ssl
import sys
from collections.abc import Mapping

SECONDS = 4
_LOCAL = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what HOST may be
_ASKED_FOR_MORE = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")


def answers(env: Mapping[str, str]) -> bool:
    """Whether a worker answers as these settings say that it does."""
    host, port = env.get("HOST", ""), int(env.get("PORT") or 8000)
    connection = _connection(_LOCAL.get(host, host), port, bool(env.get("ORDINATE_TLS_CERT")))
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except ssl.SSLError as error:
        # A worker that will not talk without a client's certificate is one that lives.
        required = env.get("ORDINATE_TLS_CLIENT") == "required"
        return required and any(word in str(error.reason) for word in _ASKED_FOR_MORE)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _connection(host: str, port: int, tls: bool) -> http.client.HTTPConnection:
    if not tls:
        return http.client.HTTPConnection(host, port, timeout=SECONDS)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # its names are those that clients use, not the loopback's
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)


if __name__ == "__main__":
    sys.exit(not answers(os.environ))
