"""Whether the service on this machine answers, for the image's HEALTHCHECK and for probes.

::

    healthcheck.py [PATH [CERTIFICATE KEY]]

The exit code is 0 or 1, with a line that says why. It asks a worker, not just the socket, by the
settings of the service: HOST, PORT, and TLS where it is spoken. PATH is /healthz, or /readyz for
whether it can predict. A service that lets in nobody without a certificate needs one of a client
for that, while its refusal shows that it lives. It imports nothing of the service, so it is done
in a tenth of a second.
"""

import http.client
import os
import ssl
import sys
from collections.abc import Mapping, Sequence

SECONDS = 4
_LOCAL = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what HOST may be
_ASKED_FOR_MORE = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")


def problem(env: Mapping[str, str], path: str = "/healthz", *certificate: str) -> str | None:
    """Why no worker answers as these settings say that it does; None if one does."""
    try:
        connection = _connection(env, certificate)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
    except ssl.SSLError as error:
        required = env.get("ORDINATE_TLS_CLIENT") == "required"
        asked = required and any(word in str(error.reason) for word in _ASKED_FOR_MORE)
        # A worker that will not talk without a client's certificate is one that lives.
        return None if asked and path == "/healthz" else f"{path}: {error}"
    except (OSError, ValueError, TypeError, http.client.HTTPException) as error:
        return f"{path}: {error}"
    return None if status == 200 else f"{path}: it answers {status}"


def _connection(env: Mapping[str, str], certificate: Sequence[str]) -> http.client.HTTPConnection:
    host, given = env.get("HOST", ""), env.get("PORT") or "8000"
    if not (given.isdecimal() and int(given) <= 65535):
        raise ValueError(f"PORT is {given!r}, which is no port")
    host, port = _LOCAL.get(host, host), int(given)
    if not env.get("ORDINATE_TLS_CERT"):
        return http.client.HTTPConnection(host, port, timeout=SECONDS)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # its names are those that clients use, not the loopback's
    context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(*certificate)
    return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)


if __name__ == "__main__":
    if why := problem(os.environ, *sys.argv[1:]):
        sys.exit(why)
