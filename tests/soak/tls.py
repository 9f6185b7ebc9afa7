"""TLS as others see it: Mozilla's intermediate profile by sslyze, testssl.sh, and what it costs.

``python -m tests.soak.tls SSLYZE`` ends with exit code 1 if anything is found. It makes
certificates for itself, and uses testssl.sh where that is installed.
"""

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.soak.watching import read
from tests.support.certificates import Certificates
from tests.support.models import PLAIN, publish
from tests.support.server import Server

CONNECTIONS = 400
MOST_KB = 64
SECONDS = 600
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

# Of a development certificate, which says nowhere who would revoke it, and of what is not asked.
CERTIFICATE = {"cert_revocation", "cert_extlifeSpan", "OCSP_stapling", "DNS_CAArecord"}
# Of the OpenSSL that testssl.sh asks with, which knows no Russian ciphers.
OWN = {"engine_problem"}
EXPECTED = CERTIFICATE | OWN
HARMLESS = {"OK", "INFO", "DEBUG"}


def sslyze(program: str, server: Server, certificates: Certificates) -> list[str]:
    """What is not as the intermediate profile says."""
    arguments = ["--mozilla_config=intermediate", f"--certinfo_ca_file={certificates.ca}"]
    done = subprocess.run(
        [program, *arguments, f"localhost:{server.port}"],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    verdict = [line.strip() for line in done.stdout.splitlines() if "compliant" in line.lower()]
    print("sslyze:", *verdict or [done.stdout, done.stderr])
    return [] if done.returncode == 0 else ["sslyze"]


def testssl(server: Server, certificates: Certificates) -> list[str]:
    """What testssl.sh gives a severity to."""
    program = shutil.which("testssl") or shutil.which("testssl.sh")
    if program is None:
        print("testssl: not installed, so not asked")
        return []
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.json"
        options = ["--quiet", "--color", "0", "--warnings", "off", "--jsonfile", str(found)]
        subprocess.run(
            [
                program,
                *options,
                "--add-ca",
                str(certificates.ca),
                f"https://localhost:{server.port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
        rows = json.loads(found.read_text())
    bad = [
        f"{row['id']}: {row['finding']}"
        for row in rows
        if row["severity"] not in HARMLESS and row["id"].split()[0] not in EXPECTED
    ]
    print(f"testssl: {len(rows)} findings,", "; ".join(bad) or "none of them bad")
    return bad


def connect(server: Server) -> socket.socket:
    """A connection that has been answered and waits, with TLS if the service speaks it."""
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    if server.tls is None:
        connection = plain
    else:
        connection = server.tls.wrap_socket(plain, server_hostname="localhost")
    connection.sendall(HEALTH)
    if not connection.recv(4096):
        raise AssertionError("no answer")
    return connection


def kilobytes(server: Server) -> float:
    """Memory that one idle connection takes in its worker."""
    (worker,) = _children(server.process.pid)
    before = read([worker], 0).memory
    with ExitStack() as held:
        for _ in range(CONNECTIONS):
            held.enter_context(connect(server))
        return (read([worker], 0).memory - before) * 1024 / CONNECTIONS


def _children(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(each) for each in text.split()]


def memory(encrypted: Callable[[], Server], plain: Callable[[], Server]) -> list[str]:
    """Measure idle connections with TLS and without."""
    if not os.path.exists("/proc/self/smaps_rollup"):
        print("memory: measured on Linux alone")
        return []
    with plain() as server:
        without = kilobytes(server)
    with encrypted() as server:
        by_tls = kilobytes(server)
    print(f"memory: {by_tls:.0f} KB for an idle connection, {without:.0f} KB without TLS")
    return [] if by_tls <= MOST_KB else [f"{by_tls:.0f} KB for an idle connection"]


def main() -> int:
    """Run all of it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        certificates = Certificates(root / "certs")
        publish(root / "models", "tiny", PLAIN, linear=True)
        print(f"{ssl.OPENSSL_VERSION}, Python {sys.version.split()[0]}")

        def encrypted() -> Server:
            settings = certificates.settings() | {"ORDINATE_WORKERS": "1"}
            return Server(root / "models", (), certificates.trusting(), **settings)

        with encrypted() as server:
            found = sslyze(sys.argv[1], server, certificates)
            found += testssl(server, certificates)
            found += [line for line in server.err if '"level":"info"' not in line]
        found += memory(encrypted, lambda: Server(root / "models", ORDINATE_WORKERS="1"))
    print("\n".join(found) or "nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
